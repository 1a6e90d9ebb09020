"""The layer between clients and moto, which trusts whatever it is given.

Read it in this order:

1. `services.py` lists the services that moto may answer, and `adapter.py` (`Adapter`) makes one WSGI application for
   each. `gaps.py` lists the operations that moto would take for other ones.
2. `patches.py` is the table of every patch of moto (`Patch`): the place, the replacement, and why it is needed.
3. Safe reading: `reading.py` checks a request before it reaches moto or the journal. `json_text.py`, `documents.py`,
   `templates.py` and `stacks.py` are bounded readers for JSON, XML, YAML and CloudFormation templates. `outside.py`
   keeps moto from contacting anything outside of this process.
4. Determinism: `sources.py` draws everything from one seeded source, and `keys.py` makes private keys from it.
5. `failures.py` and `culprits.py` translate moto's exceptions into AWS's errors.
6. Behaviour: `objects.py` (`Passage`) passes large S3 bodies by reference; `buckets.py`, `uploads.py`, `queues.py`,
   `receiving.py` (`LongPoll`) and `cidr_blocks.py` correct single services.
7. `state.py` keeps moto's backends in a checkpoint and restores them.

For example, moto's SQS would sleep in ReceiveMessage with the sandbox's lock held. One line of the table replaces it:

    Patch("moto.sqs.models:SQSBackend.receive_message", "labkit.sandbox.moto.queues:receive_message", _WAITS)
"""
