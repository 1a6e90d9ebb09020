"""Every patch of moto, in one table.

Each patch says why it is needed and for which version it was written. `tests/sandbox/moto/test_patches.py` fails when a
name is gone or a signature has changed; check then whether the patch is still needed, and whether it still fits.

The modules with the replacements are imported when the patches are installed, so they may import moto themselves. A
replacement that calls the original takes it when its own module is imported, which is before the patch.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any, NamedTuple

HERE = "labkit.sandbox.moto"
STATE = "labkit.sandbox.moto_state"


class Patch(NamedTuple):
    """One patched name of moto, its replacement, and the reason."""

    place: str
    """`module:name` or `module:Class.name`."""
    replacement: str
    """`module:name`, as `place`."""
    why: str
    how: str = "replace"
    """`replace`; `wrap`: the replacement is called with the original and returns the new object; `amend`: it is called
    with the original and changes it in place."""
    seen: str = "5.2.5"
    """The version of moto (or of boto3, if the place is there) whose code was read."""


_RANDOM = "draws beside moto's seeded source: a replay would draw something else"
_XML = "an XML bomb, a document type or a depth without bound; malformed XML failed with HTTP 500"
_HTTP = "sends requests to any address"
_TEMPLATE = "reads templates with YAML's unsafe loader, which runs code"
_COPIES = "holds all of an object's bytes in memory, several times"
_HALF = "leaves what it has made when it fails on the way"
_WAITS = "waits with the sandbox's lock held, for a clock that may stand still"

FIRST = (
    Patch("boto3:Session.get_available_regions", f"{STATE}.lean:regions", "reads 16 MB a service", seen="1.40"),
    Patch("moto.utilities.utils:load_resource", f"{STATE}.lean:load_resource", "reads every region's instance types"),
)
"""The patches that must be installed before a service of moto is imported."""

PATCHES = (
    # Nothing from outside is executed or believed. A function that several modules import by name is replaced in each,
    # because each has a reference of its own.
    Patch("moto.cloudformation.models:yaml", f"{HERE}.stacks:STACK_YAML", _TEMPLATE),
    Patch("moto.cloudformation.responses:yaml", f"{HERE}.stacks:YAML", _TEMPLATE),
    *(
        Patch(f"moto.cloudformation.{module}:get_stack_from_s3_url", f"{HERE}.stacks:template_of_url", _TEMPLATE)
        for module in ("models", "responses", "utils")
    ),
    Patch(
        "moto.cloudformation.responses:CloudFormationResponse.validate_template",
        f"{HERE}.stacks:validate_template",
        "has cfn-lint judge the template, after writing it into the working directory",
    ),
    *(
        Patch(
            f"moto.cloudformation.responses:CloudFormationResponse.{name}",
            f"{HERE}.stacks:needing_capabilities",
            "makes permissions for whoever did not say that they may be made",
            how="wrap",
        )
        for name in ("create_stack", "update_stack", "create_change_set", "create_stack_set", "update_stack_set")
    ),
    Patch(
        "moto.cloudformation.parsing:parse_and_create_resource",
        f"{HERE}.stack_failures:naming_the_culprit",
        "does not say which resource failed",
        how="wrap",
    ),
    Patch(
        "moto.cloudformation.models:CloudFormationBackend.create_stack",
        f"{HERE}.stack_failures:rolling_back",
        _HALF,
        how="wrap",
    ),
    Patch(
        "moto.cloudformation.models:CloudFormationBackend.execute_change_set",
        f"{HERE}.stack_failures:executing_or_rolling_back",
        f"{_HALF}; leaves out outputs and exports",
        how="wrap",
    ),
    Patch(
        "moto.cloudformation.models:CloudFormationBackend.delete_stack",
        f"{HERE}.stack_failures:deleting_or_keeping",
        "forgets a stack that it can't delete; makes the resources of a deleted stack anew for who looks at it",
        how="wrap",
    ),
    Patch(
        "moto.cloudformation.models:Stack.create_from_cloudformation_json",
        f"{HERE}.stack_failures:embedded",
        "a stack does not fail with the one in it",
        how="wrap",
    ),
    Patch(
        "moto.s3.models:FakeBucket.delete_from_cloudformation_json",
        f"{HERE}.stack_failures:keeping_what_is_full",
        "leaves a bucket that has objects, and says nothing",
        how="wrap",
    ),
    Patch(
        "moto.cloudformation.models:Stack.mark_creation_complete",
        f"{HERE}.stack_failures:with_outputs",
        "reads the outputs when somebody describes a stack, and fails there",
        how="wrap",
    ),
    Patch(
        "moto.cloudformation.models:Stack.update",
        f"{HERE}.stack_failures:updating_or_rolling_back",
        _HALF,
        how="wrap",
    ),
    Patch(
        "moto.cloudformation.parsing:ResourceMap.update",
        f"{HERE}.stack_failures:update_resources",
        "deletes first, forgets what it can't change, and takes what it deleted for made",
    ),
    Patch("moto.s3.responses:xmltodict", f"{HERE}.documents:XMLTODICT", _XML),
    Patch("moto.s3.responses:minidom", f"{HERE}.documents:MINIDOM", _XML),
    Patch("moto.sts.models:xmltodict", f"{HERE}.documents:XMLTODICT", _XML),
    Patch("moto.core.parse:BaseXMLParser._parse_xml_string_to_dom", f"{HERE}.documents:parse_request_xml", _XML),
    Patch("moto.ssm.models:yaml", f"{HERE}.documents:YAML", "follows aliases, which can multiply without end"),
    Patch("moto.s3.models:gzip", f"{HERE}.documents:GZIP", "inflates without bound"),
    Patch("moto.core.responses:gzip", f"{HERE}.documents:GZIP", "inflates without bound"),
    Patch("moto.s3.models:bz2", f"{HERE}.documents:BZ2", "inflates without bound"),
    Patch("moto.sns.models:requests", f"{HERE}.outside:REQUESTS", _HTTP),
    Patch("moto.events.models:requests", f"{HERE}.outside:REQUESTS", _HTTP),
    Patch("moto.firehose.models:requests", f"{HERE}.outside:REQUESTS", _HTTP),
    Patch(
        "moto.utilities.docker_utilities:DockerModel.docker_client",
        f"{HERE}.outside:DOCKER_CLIENT",
        "starts containers",
    ),
    # Everything is drawn from the seeded source. One patch for each module, never of `os` itself: the sandbox's own
    # credentials and temporary names must stay random.
    Patch("moto.s3.models:os", f"{HERE}.sources:OS", _RANDOM),
    Patch("moto.iam.models:os", f"{HERE}.sources:OS", _RANDOM),
    Patch("moto.sts.utils:os", f"{HERE}.sources:OS", _RANDOM),
    Patch("moto.kms.models:os", f"{HERE}.sources:OS", _RANDOM),
    Patch("moto.kms.responses:os", f"{HERE}.sources:OS", _RANDOM),
    Patch("moto.kms.utils:os", f"{HERE}.sources:OS", _RANDOM),
    Patch("moto.kms.utils:rsa", f"{HERE}.sources:RSA", _RANDOM),
    Patch("moto.kms.utils:ec", f"{HERE}.sources:EC", _RANDOM),
    Patch("moto.ec2.utils:rsa", f"{HERE}.sources:RSA", _RANDOM),
    Patch("moto.ec2.utils:Ed25519PrivateKey", f"{HERE}.sources:ED25519", _RANDOM),
    Patch("moto.sns.models:rsa", f"{HERE}.sources:RSA", _RANDOM),
    Patch("moto.ec2.models.reserved_instances:random", f"{HERE}.sources:RANDOM", _RANDOM),
    Patch("moto.s3control.models:uuid", f"{HERE}.sources:UUID", _RANDOM),
    Patch("moto.cloudwatch.models:uuid4", f"{HERE}.sources:UUID4", _RANDOM),
    Patch("moto.ssm.models:uuid4", f"{HERE}.sources:UUID4", _RANDOM),
    Patch(
        "moto.core.base_backend:AccountSpecificBackend.__getitem__",
        f"{HERE}.sources:with_own_stream",
        "a read that is the first to look at a region draws its default VPC, and a replay repeats no reads",
        how="wrap",
    ),
    Patch(
        "moto.ec2.models.reserved_instances:ReservedInstancesBackend._ensure_reserved_offerings",
        f"{HERE}.sources:offerings_with_own_stream",
        "a read draws the prices",
        how="wrap",
    ),
    # Nothing waits: the clock moves only when the lock is free, and moto would wait for it with the lock held.
    Patch("moto.sqs.models:SQSBackend.receive_message", f"{HERE}.queues:receive_message", _WAITS),
    Patch("moto.sqs.models:Condition", f"{HERE}.queues:Condition", _WAITS),
    # AWS's behaviour, and the sandbox's own services.
    Patch(
        "moto.moto_server.werkzeug_app:RegexConverter", f"{HERE}.adapter:AnyText", "takes no line end in a key of S3"
    ),
    Patch(
        "moto.ec2.models.elastic_network_interfaces:random_public_ip",
        f"{STATE}.ec2:public_ip",
        "draws addresses that somebody has",
    ),
    Patch("moto.ec2.models.elastic_ip_addresses:random_ip", f"{STATE}.ec2:public_ip", "draws from 127.0.0.0/8"),
    Patch(
        "moto.ec2.models.elastic_network_interfaces:NetworkInterface.group_set",
        f"{STATE}.ec2:GROUP_SET",
        "answers with the union of an interface's groups and its instance's, in no certain order",
    ),
    Patch(
        "moto.ec2.models.security_groups:SecurityGroupBackend.create_security_group",
        f"{STATE}.ec2:create_security_group",
        "leaves out the rule of a default group that admits its own members",
    ),
    Patch(
        "moto.ec2.models.subnets:Subnet.attach_ipv6_cidr_block_associations",
        f"{HERE}.cidr_blocks:of_subnet",
        "takes any text for a block, on which every packet fails",
        how="wrap",
    ),
    Patch(
        "moto.ec2.models.vpcs:VPCBackend.associate_vpc_cidr_block",
        f"{HERE}.cidr_blocks:of_vpc",
        "keeps a block that it refuses",
        how="wrap",
    ),
    Patch("moto.ec2.utils:EC2_PREFIX_TO_RESOURCE", f"{STATE}.ec2:name_flow_logs", "names flow logs otherwise", "amend"),
    Patch(
        "moto.ec2.models.instance_types:INSTANCE_TYPE_OFFERINGS",
        f"{STATE}.lean:read_offerings_later",
        "reads every region's instance types",
        how="amend",
    ),
    Patch("moto.sts.models:STSBackend.get_caller_identity", f"{STATE}.sts:identity", "the learner is not its user"),
    Patch("moto.iam.models:Role.put_policy", f"{STATE}.iam:put_policy", "keeps a template's policy as an object"),
    Patch("moto.s3.models:MultipartDict", f"{HERE}.uploads:Uploads", "fails on an upload that does not exist"),
    Patch("moto.s3.models:tempfile", f"{STATE}.object_bodies:TEMPFILE", "keeps objects in memory and temporary files"),
    Patch("moto.s3.models:FakeKey.value", f"{STATE}.object_bodies:VALUE", "reads an object's bytes to copy them"),
    Patch(
        "moto.s3.models:FakeKey.__getstate__", f"{STATE}.object_bodies:state", "puts an object's bytes into a pickle"
    ),
    Patch("moto.s3.models:FakeKey.__setstate__", f"{STATE}.object_bodies:set_state", "takes them out of it"),
    *(
        Patch(
            f"moto.s3.models:S3Backend.{name}",
            f"{STATE}.object_bodies:passing_references",
            "reads an object's bytes to copy them",
            how="wrap",
        )
        for name in ("copy_object", "upload_part_copy")
    ),
    Patch("moto.s3.responses:S3Response.setup_class", f"{HERE}.objects:with_passed_body", _COPIES, "wrap"),
    Patch("moto.s3.responses:S3Response.key_response", f"{HERE}.objects:passing_answer", _COPIES, "wrap"),
    Patch(
        "moto.core.responses:gen_amzn_requestid_long",
        f"{HERE}.sources:aside",
        "moves the seeded source on for the id of a response",
        how="wrap",
    ),
    Patch("moto.s3.responses:S3Response.get_object", f"{HERE}.ranges:one_part", "answers a part by the whole", "wrap"),
    Patch(
        "moto.s3.responses:S3Response.upload_part_copy",
        f"{HERE}.ranges:copied_range",
        "copies from ranges that the source does not have",
        how="wrap",
    ),
    Patch("moto.s3.responses:S3Response.upload_part", f"{HERE}.objects:keeping_checksum", "forgets checksums", "wrap"),
    Patch("moto.s3.responses:compute_checksum", f"{HERE}.objects:checksum", "takes CRC-32 for every CRC"),
    Patch("moto.s3.models:compute_checksum", f"{HERE}.objects:checksum", "takes CRC-32 for every CRC"),
    Patch("moto.s3.models:FakeMultipart.complete", f"{HERE}.objects:complete", f"{_COPIES}; takes parts in any order"),
    Patch(
        "moto.s3.models:S3Backend.complete_multipart_upload",
        f"{HERE}.objects:holding_parts",
        "lets go of the parts before the object has them",
        how="wrap",
    ),
    Patch(
        "moto.s3.models:S3Backend.create_bucket",
        f"{HERE}.buckets:naming_by_the_rules",
        "takes names that no bucket can have",
        how="wrap",
    ),
    Patch(
        "moto.s3.responses:S3Response._notification_config_from_body",
        f"{HERE}.buckets:taking_no_notifications",
        "fails on an empty configuration",
        how="wrap",
    ),
    Patch("moto.s3.models:S3Backend.put_bucket_policy", f"{STATE}.bucket_policies:put", "keeps any bytes at all"),
    Patch(
        "moto.ec2.models.instances:Instance.create_from_cloudformation_json",
        f"{STATE}.cloudformation_resources:create_instance",
        "leaves out security groups by id, and the public address",
    ),
    Patch(
        "moto.ec2.models.subnets:Subnet.create_from_cloudformation_json",
        f"{STATE}.cloudformation_resources:create_subnet",
        "leaves out MapPublicIpOnLaunch; takes a zone of another region",
    ),
    Patch(
        "moto.ec2.models.subnets:SubnetRouteTableAssociation.create_from_cloudformation_json",
        f"{STATE}.cloudformation_resources:create_route_table_association",
        "keeps it where DescribeRouteTables does not look",
    ),
    Patch(
        "moto.ec2.models.route_tables:RouteTable.delete_from_cloudformation_json",
        f"{STATE}.cloudformation_resources:delete_route_table",
        "leaves the table with its stack gone",
    ),
    Patch(
        "moto.ec2.models.internet_gateways:InternetGateway.delete_from_cloudformation_json",
        f"{STATE}.cloudformation_resources:delete_internet_gateway",
        "leaves the gateway with its stack gone",
    ),
    Patch(
        "moto.ec2.models.flow_logs:FlowLogs.create_from_cloudformation_json",
        f"{STATE}.flow_logs:create_from_template",
        "makes a flow log that logs nothing",
    ),
    Patch(
        "moto.ec2.models.flow_logs:FlowLogs.delete_from_cloudformation_json",
        f"{STATE}.flow_logs:delete_from_template",
        "deletes moto's own alone",
    ),
    Patch(
        "moto.logs.models:LogGroup.create_from_cloudformation_json",
        f"{STATE}.logs:create_from_template",
        "keeps log groups to itself, where no log event ever comes",
    ),
)

LATER = {
    "glue": tuple(
        Patch(
            f"moto.glue.models:GlueBackend.{name}",
            f"{STATE}.glue_names:folded",
            "keeps names as they are written; AWS folds them to lower case",
            how="wrap",
        )
        for name in (
            "create_database", "get_database", "update_database", "delete_database",
            "create_table", "get_table", "get_tables", "delete_table", "update_table",
        )
    )
}  # fmt: skip
"""Patches of services that take long to import: they are installed when the service is first used."""

originals: dict[str, Any] = {}
"""The original object of each patched place."""


def install_first() -> None:
    """Install the patches that must be in place before a service of moto is imported."""
    for patch in FIRST:
        _install(patch)


def install() -> None:
    """Install the patches of all services but those that are imported later."""
    for patch in PATCHES:
        _install(patch)


def install_for(service: str) -> None:
    """Install the patches of a service that is about to be used."""
    for patch in LATER.get(service, ()):
        _install(patch)


def _install(patch: Patch) -> None:
    if patch.place in originals:  # a second sandbox in this process: a wrapper must not wrap itself
        return
    owner, name = _find(patch.place)
    replacement = resolve(patch.replacement)
    original = inspect.getattr_static(owner, name)  # getattr would bind a class method, and hide that it is one
    originals[patch.place] = original
    # In place, because other modules of moto have imported the very object.
    if patch.how == "amend":
        replacement(original)
        return
    if patch.how == "wrap":
        replacement = replacement(original)
    if isinstance(original, (classmethod, staticmethod)):
        replacement = staticmethod(replacement)  # it is given no class: moto passes it nothing that it would need
    setattr(owner, name, replacement)


def resolve(place: str) -> Any:
    """Return the object at a place."""
    owner, name = _find(place)
    return getattr(owner, name)


def _find(place: str) -> tuple[Any, str]:
    module, _, path = place.partition(":")
    *outer, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for each in outer:
        owner = getattr(owner, each)
    return owner, name
