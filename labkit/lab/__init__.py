"""What every action of the lab needs: settings, the cloud, its clients, the provided resources, what the lab made.

Read it in this order: `settings.py` (region, bucket, e-mail, which cloud), `cloud.py` (the seam: the sandbox or a real
account), `session.py` (`Lab`: both of them, with clients and the provided resources), `resources.py` (how the provided
things are found), `ledger.py` (what the lab made, written down), `progress.py` (what the learner has done),
`syllabus.py` (the phases in their order, from `syllabus.toml`).

Nothing here knows a phase's actions, renders anything, or imports a room above it.

>>> lab = Lab.open()                                        # doctest: +SKIP
>>> lab.client("ec2").describe_flow_logs()                  # doctest: +SKIP
"""
