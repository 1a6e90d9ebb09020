"""The sandbox: an AWS that runs on the learner's own machine, in virtual time.

It is one WSGI application in one process. Read it in this order:

1. `process.py` starts, finds and stops the server of a home; `server.py` is the process, `kernel/serving.py` its life.
2. `host.py` (`Host`) is the application. It admits a request, takes the one lock, has the journal record a change, and
   passes the request on. `dispatcher.py` gives it to one of our services or to moto. `wire.py`, `validation.py` and
   `rest_operations.py` read requests and write responses by botocore's service models.
3. `sandbox.py` (`Sandbox`) is what the services share: `clock.py` (`Clock`, virtual time and its events), seeded
   randomness, files. `assembly.py` is the only file that knows all services; they call each other through `wiring.py`.
   `service.py` (`Service`, `Call`, `@operation`) is the skeleton of each.
4. `journal.py` (`Journal`) stores the changes; `state.py` and `keeper.py` take checkpoints; `outbox.py` holds what
   leaves the process, such as mails for `postman.py`.
5. `control.py` is the control API (`/_sandbox`); `faults.py`, `inbox.py` and `ssh_door.py` serve it.
   `provision.py` makes the learner's environment; `delivery.py` and `policies.py` deliver flow logs.

The rooms: `kernel` (admission, changes, keeping), `moto` and `moto_state` (all that knows moto), and the services
`network`, `logs`, `alarms`, `notifications` and `athena`.

For example, from outside it is just an AWS endpoint:

    server = process.start(Path(".labkit"))
    boto3.client("ec2", endpoint_url=server.endpoint, aws_access_key_id=server.access_key_id,
                 aws_secret_access_key=server.secret_access_key, region_name="eu-west-1").describe_vpcs()
"""
