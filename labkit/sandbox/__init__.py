"""The sandbox: an AWS that runs on the learner's own machine, in virtual time."""
