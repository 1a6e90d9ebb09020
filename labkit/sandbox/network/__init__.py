"""Traffic and flow logs: the part of Amazon EC2 that the sandbox answers itself.

Read it in this order:

1. `topology.py` (`Interface`, `SecurityGroup`, `NetworkAcl`, `RouteTable`): what a packet meets, as plain values.
   `protocols.py`: IP protocols by name and number.
2. `journey.py` (`Journey`) takes a packet to its destination and the answer back; `firewall.py` decides, with security
   groups and network ACLs, whether it passes. `attempts.py`: the packets that a connection consists of.
3. `flows.py` (`Book`) collects what an interface saw, as rows of a NumPy array, and `recorder.py` keeps it by the
   minute. `records.py` (`Capture`) turns flows into flow log records, and `files.py` writes them to files.
4. `background.py` draws the internet's noise and ordinary users; `ahead.py` and `later.py` do so in advance, on a
   thread, when the clock has a long way to go.
5. `collector.py` (`Collector`) runs each minute of virtual time: it closes aggregation intervals and has records
   delivered (by `sandbox/delivery.py`).
6. `flow_logs.py` (`FlowLog`), `listing.py` and `service.py` (`NetworkService`): the API's operations.

For example, one SSH attempt from the internet becomes a record in every flow log that covers the interface:

    sandbox.network.connect(source="203.0.113.7", destination=public_address, port=22, protocol="tcp", count=1)
    sandbox.clock.advance(900)
"""
