"""What every service of the sandbox stands on: how changes are made and kept, and who may make them when.

Who may ask:

- `admission.py`: the gate. It checks the host, the clock, the key and the signature of a request before its body.
- `signatures.py`: what a request says of its signer; `signing.py`: how AWS computes a signature.
- `payloads.py`: what a request declares of its body, held against the body.
- `intake.py`: reads a body within bounds, a large one into a file, with its `checksums.py`.
- `lives.py`: how long a presigned URL lives; `machine_time.py`: the machine's clock beside the sandbox's.
- `header_form.py`: one form for all requests that were let in; `small_shell.py`: what the SSH door lets a learner do.

How changes are made:

- `changes.py`: the one way to change a sandbox. A change is written down first, then made, and made again at a restart.
- `fair_lock.py`: the lock that changes are made under. Whoever waits longest gets it next.
- `files.py`: the bytes that are too many for memory and journal, in files that never change.
- `checkpoints.py`, `pickling.py`: the state after a change, in files, and what such a file may name.
- `meter.py`: what a start without a checkpoint would cost.
- `witness.py`: what tells a journal that was cut short from a shorter history.
- `safe_xml.py`: the reader of all XML from outside.
- `home_lock.py`: one server a home, by a lock that it holds as long as it lives.
- `private_files.py`: small files that are written whole or not at all, for their owner alone.
- `entry.py`, `presence.py`, `waiting.py`: what a server leaves in its home, how it is at a moment, how far a start is.
- `serving.py`, `stand_in.py`, `ending.py`: a server's life, from the port that it opens to its end.
- `inspection.py`: looks at every request by the model of its service, whoever answers it, with `bodies.py` (JSON and
  CBOR), `query_form.py`, `rest_request.py` and `moments.py`, which read; `s3_request.py` and `s3_rules.py` have S3's
  words.
"""
