"""The part of Amazon EC2 that the sandbox answers itself: flow logs, and the traffic that they log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from labkit.sandbox.delivery import may_deliver, policy_with_delivery
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.moto_state import ec2, s3
from labkit.sandbox.moto_state import flow_logs as moto_flow_logs
from labkit.sandbox.network import attempts, flow_logs, listing
from labkit.sandbox.network.collector import Collector
from labkit.sandbox.network.firewall import ECHO_REQUEST, Packet
from labkit.sandbox.network.flow_logs import FlowLog
from labkit.sandbox.network.journey import Journey, World, travel
from labkit.sandbox.network.protocols import ICMPV6, TCP, UDP, number_of
from labkit.sandbox.network.recorder import Recorder
from labkit.sandbox.network.topology import Interface
from labkit.sandbox.service import Call, Service, operation

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox

LEARNER_ADDRESS, LEARNER_IPV6_ADDRESS = "203.0.113.25", "2001:db8::25"
"""Where a learner connects from, unless told otherwise."""

FLOW_LOGS_OF_A_RESOURCE = 250
"""https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-limitations.html"""
LARGEST_BUCKET_POLICY = 20 * 1024
"""In bytes. https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-troubleshooting.html"""

LONGEST_CLIENT_TOKEN = 64
"""In ASCII characters. https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html"""

_SPREAD_SECONDS = 30.0
"""Several attempts of one call are spread over half a minute at most."""

_RESOURCE_ERRORS: dict[str, tuple[Callable[[str, str, str], bool], str, str]] = {
    "VPC": (ec2.vpc_exists, "InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"),
    "Subnet": (ec2.subnet_exists, "InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist"),
    "NetworkInterface": (
        ec2.interface_exists,
        "InvalidNetworkInterfaceID.NotFound",
        "The networkInterface ID '{}' does not exist",
    ),
}


class NetworkService(Service):
    """The part of Amazon EC2 that the sandbox answers itself: flow logs, and the traffic that they log."""

    name = "ec2"
    answered_by_moto = None

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.recorder = Recorder()
        self.collector = Collector(sandbox, self.recorder)
        self._formats: dict[tuple[str, str], str] = {}
        self._made_by_token: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]] = {}
        moto_flow_logs.take_over(self._create_from_template, self._delete)
        self.world = World(
            interfaces_with=partial(ec2.interfaces_with, sandbox.account_id),
            peered_vpcs=self._peered_vpcs,
            nat_interface=_nat_interface,
        )

    def log_format(self, region: str, group: str) -> str | None:
        """The format of the records that flow logs put into a log group; None for a group that none ever wrote to."""
        return self._formats.get((region, group))

    def set_background(self, level: float) -> None:
        """How busy the internet is: 1 is usual, 0 is silence."""
        self.collector.level = level

    def disturb_delivery(self, *, delay_seconds: float = 0, lost: float = 0) -> None:
        """Has records come late, or a share of aggregation intervals get lost; without arguments all is well again."""
        self.collector.delay, self.collector.lost = delay_seconds, lost

    def connect(
        self, *, destination: str, port: int, protocol: str = "tcp", source: str | None = None, count: int = 1
    ) -> dict[str, Any]:
        """Tries to connect, `count` times from as many ports; tells the outcome, what decided, and flow logs see it.

        Raises ServiceError where the addresses are none or of two IP versions.
        """
        at_home = LEARNER_IPV6_ADDRESS if ":" in destination else LEARNER_ADDRESS
        packet = self._packet(source or at_home, destination, port, protocol)
        begin = self.sandbox.clock.timestamp()
        journey = travel(self.world, packet)
        for number in range(count):
            if packet.protocol in (TCP, UDP) and number:
                packet = replace(packet, source_port=self._ephemeral_port())
                journey = travel(self.world, packet)
            self._record(journey, packet, begin + number * min(0.25, _SPREAD_SECONDS / count))
        return _told(journey, packet, count)

    @operation("CreateFlowLogs")
    def create_flow_logs(self, call: Call) -> dict[str, Any]:
        """Makes a flow log for each resource; what keeps one resource from having one does not keep the others."""
        flow_logs.check_size(call.params)
        flow_logs.check_tags(call.params)
        token = call.params.get("ClientToken")
        if token and len(token) > LONGEST_CLIENT_TOKEN:
            message = f"ClientToken has {len(token)} characters; the most is {LONGEST_CLIENT_TOKEN}."
            raise ServiceError("InvalidParameterValue", message)
        if token and (call.region, token) in self._made_by_token:
            return self._made_before(call, token)
        result = self._create_all(call.region, call.params)
        if token:
            self._made_by_token[call.region, token] = call.params, result
        return result

    def _made_before(self, call: Call, token: str) -> dict[str, Any]:
        """What a request with the same client token was answered, as long as it asked for the same."""
        _end_dry_run(call.params)
        params, result = self._made_by_token[call.region, token]
        if params != call.params:
            message = (
                "Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."
            )
            raise ServiceError("IdempotentParameterMismatch", message)
        return result

    @operation("DescribeFlowLogs")
    def describe_flow_logs(self, call: Call) -> dict[str, Any]:
        """Flow logs of the region, by id or by filters, in pages."""
        _end_dry_run(call.params)
        mine = [each for each in self.collector.flow_logs.values() if each.region == call.region]
        ids = call.params.get("FlowLogIds", [])
        self._require(ids, mine)
        shown = [each for each in mine if not ids or each.id in ids]
        shown = listing.filtered(shown, call.params.get("Filter", []))
        page, token = listing.page(shown, call.params.get("MaxResults"), call.params.get("NextToken"))
        return {"FlowLogs": [each.describe() for each in page], "NextToken": token}

    @operation("DeleteFlowLogs")
    def delete_flow_logs(self, call: Call) -> dict[str, Any]:
        """Deletes flow logs; what they have delivered stays."""
        _end_dry_run(call.params)
        ids = call.params["FlowLogIds"]
        self._require(ids, [each for each in self.collector.flow_logs.values() if each.region == call.region])
        for flow_log_id in dict.fromkeys(ids):
            self._delete(call.region, flow_log_id)
        return {"Unsuccessful": []}

    @operation("ModifyInstanceAttribute")
    def modify_instance_attribute(self, call: Call) -> Response:
        """moto's, which lets the security groups of an instance and of its interface drift apart."""
        groups = call.params.get("Groups", [])
        vpc_id = ec2.instance_vpc(call.account_id, call.region, call.params["InstanceId"])
        self._check_groups(call, groups, vpc_id)
        response = call.forward()
        if groups and response.status_code == 200:
            ec2.set_instance_groups(call.account_id, call.region, call.params["InstanceId"], groups)
        return response

    @operation("ModifyNetworkInterfaceAttribute")
    def modify_network_interface_attribute(self, call: Call) -> Response:
        """moto's, which lets the security groups of an instance and of its interface drift apart."""
        groups = call.params.get("Groups", [])
        vpc_id = ec2.interface_vpc(call.account_id, call.region, call.params["NetworkInterfaceId"])
        self._check_groups(call, groups, vpc_id)
        response = call.forward()
        if groups and response.status_code == 200:
            ec2.set_interface_groups(call.account_id, call.region, call.params["NetworkInterfaceId"], groups)
        return response

    def _create_all(self, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        draft = flow_logs.parse(
            params, region=region, account_id=self.sandbox.account_id, created=self.sandbox.clock.now()
        )
        _end_dry_run(params)
        made, refused = [], []
        for resource_id in dict.fromkeys(params["ResourceIds"]):
            try:
                made.append(self._create(replace(draft, resource_id=resource_id)))
            except ServiceError as error:
                if len(params["ResourceIds"]) == 1 and error.code != "400":
                    raise
                refused.append(_unsuccessful(resource_id, error))
        return {"ClientToken": params.get("ClientToken"), "FlowLogIds": made, "Unsuccessful": refused}

    def _create_from_template(self, region: str, params: Mapping[str, Any]) -> str:
        result = self._create_all(region, params)
        for refused in result["Unsuccessful"]:
            raise ServiceError(refused["Error"]["Code"], refused["Error"]["Message"])
        return str(result["FlowLogIds"][0])

    def _delete(self, region: str, flow_log_id: str) -> None:
        if flow_log_id in self.collector.flow_logs:
            self.collector.remove(flow_log_id)
            ec2.drop_tags(self.sandbox.account_id, region, flow_log_id)

    def _create(self, flow_log: FlowLog) -> str:
        exists, code, message = _RESOURCE_ERRORS[flow_log.resource_type]
        if not exists(flow_log.account_id, flow_log.region, flow_log.resource_id):
            raise ServiceError(code, message.format(flow_log.resource_id))
        others = [each for each in self.collector.flow_logs.values() if each.region == flow_log.region]
        if any(each.configuration() == flow_log.configuration() for each in others):
            message = "Error. There is an existing Flow Log with the same configuration and log destination."
            raise ServiceError("FlowLogAlreadyExists", message)
        if sum(each.resource_id == flow_log.resource_id for each in others) >= FLOW_LOGS_OF_A_RESOURCE:
            message = "You've reached the limit on the number of flow logs you can create."
            raise ServiceError("FlowLogsLimitExceeded", message)
        if flow_log.bucket:
            self._let_deliver(flow_log, flow_log.bucket)
        else:
            self._formats[flow_log.region, str(flow_log.group)] = str(flow_log.log_format)
        flow_log.id = f"fl-{self.sandbox.random.getrandbits(68):017x}"
        flow_log.tags = ec2.keep_tags(flow_log.account_id, flow_log.region, flow_log.id, flow_log.tags)
        self.collector.add(flow_log)
        return flow_log.id

    def _let_deliver(self, flow_log: FlowLog, bucket: str) -> None:
        """AWS adds the statements for delivery to the policy of a bucket that lacks them, as its owner would."""
        if not s3.bucket_exists(bucket, flow_log.account_id):
            raise ServiceError("400", f"LogDestination: {bucket} does not exist.")
        policy = s3.bucket_policy(bucket, flow_log.account_id)
        now = self.sandbox.clock.now()
        if may_deliver(policy, flow_log, now):
            return
        extended = policy_with_delivery(policy, flow_log)
        if len(extended) > LARGEST_BUCKET_POLICY:
            message = (
                f"LogDestination: {bucket}: its policy would be larger than 20 KB with the statements for delivery."
            )
            raise ServiceError("LogDestinationPermissionIssueException", message)
        if not may_deliver(extended, flow_log, now):
            message = f"Access Denied for LogDestination: {bucket}. Please check LogDestination permission"
            raise ServiceError("400", message)
        s3.set_bucket_policy(bucket, extended, flow_log.account_id)

    def _require(self, ids: list[str], known: list[FlowLog]) -> None:
        flow_logs.check_ids(ids)
        known_ids = {flow_log.id for flow_log in known}
        missing = [each for each in ids if each not in known_ids]
        if missing:
            listed = f"[TotalCount: {len(missing)}] {' '.join(missing)}"
            message = f"These flow log ids in the input list are not found: {listed}"
            raise ServiceError("InvalidFlowLogId.NotFound", message)

    def _check_groups(self, call: Call, groups: list[str], vpc_id: str | None) -> None:
        for group_id in groups if vpc_id else []:
            group_vpc = ec2.security_group_vpc(call.account_id, call.region, group_id)
            if group_vpc is None:
                raise ServiceError("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
            if group_vpc != vpc_id:
                message = f"Security group {group_id} and the network interface belong to different networks."
                raise ServiceError("InvalidGroup.NotFound", message)

    def _packet(self, source: str, destination: str, port: int, protocol: str) -> Packet:
        try:
            near, far, number = ip_address(source), ip_address(destination), number_of(protocol)
        except ValueError as error:
            raise ServiceError("InvalidParameterValue", str(error)) from error
        if near.version != far.version:
            message = f"{source} and {destination} are addresses of different IP versions"
            raise ServiceError("InvalidParameterValue", message)
        number = ICMPV6 if protocol == "icmp" and near.version == 6 else number
        if number not in (TCP, UDP):
            return Packet(near, far, number, icmp_type=ECHO_REQUEST.get(number, 0))
        return Packet(near, far, number, self._ephemeral_port(), port)

    def _ephemeral_port(self) -> int:
        return self.sandbox.random.randint(*attempts.EPHEMERAL_PORTS)

    def _record(self, journey: Journey, packet: Packet, begin: float) -> None:
        """Writes down what the interfaces saw that somebody logs."""
        seen = attempts.bursts(journey, packet.protocol, packet.destination_port, begin, self.sandbox.random)
        for sightings, bursts in ((journey.request, seen.request), (journey.answer, seen.answer)):
            for sighting in sightings:
                if self.collector.covers(sighting.leg.interface):
                    self.recorder.record(sighting, bursts)

    def _peered_vpcs(self, near: Interface, peering_id: str) -> dict[str, str]:
        if not ec2.peering_is_active(near.account_id, near.region, peering_id):
            return {}
        return ec2.peered_vpcs(near.account_id, near.region, peering_id)


def _nat_interface(near: Interface, gateway_id: str) -> Interface | None:
    return ec2.nat_gateway_interface(near.account_id, near.region, gateway_id)


def _end_dry_run(params: Mapping[str, Any]) -> None:
    if params.get("DryRun"):
        message = "Request would have succeeded, but DryRun flag is set."
        raise ServiceError("DryRunOperation", message, status=412)


def _unsuccessful(resource_id: str, error: ServiceError) -> dict[str, Any]:
    return {"ResourceId": resource_id, "Error": {"Code": error.code, "Message": error.message}}


def _told(journey: Journey, packet: Packet, count: int) -> dict[str, Any]:
    """The answer of the control API."""
    verdict = journey.verdict
    reached = [sighting.leg.interface for sighting in journey.request]
    return {
        "outcome": journey.outcome,
        "why": verdict.reason,
        "decided_by": {"type": verdict.by, "id": verdict.id, "rule": verdict.rule, "allowed": verdict.allowed},
        "source": str(packet.source),
        "destination": str(packet.destination),
        "port": packet.destination_port,
        "interface_id": reached[-1].id if reached else None,
        "instance_id": reached[-1].instance_id if reached else None,
        "count": count,
    }
