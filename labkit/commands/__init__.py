"""labkit's commands, a module each: `register` adds the command's arguments, `run` carries it out."""
