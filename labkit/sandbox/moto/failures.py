"""Translates moto's failures on requests that the service's model allows into AWS's errors.

moto's handlers expect what a client usually sends and fail on the rest, for which AWS has errors of its own. The known
ones are listed here, with the operation and the exceptions that stand for them. `culprits` finds those that the
exception and the request show for any operation. Any other failure stays the sandbox's (InternalFailure, HTTP 500),
with a traceback in the log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.moto import culprits


class Meaning(NamedTuple):
    """The AWS error that moto's exceptions stand for in an operation."""

    exceptions: tuple[type[Exception], ...]
    code: str
    message: str
    status: int = 400


_Meanings = dict[tuple[str, ...], Meaning]

SHAPE = (AttributeError, KeyError, TypeError, IndexError, AssertionError)
"""What Python raises when code finds something other than it expected."""

_S3: _Meanings = {
    ("HeadObject",): Meaning((KeyError,), "InvalidPartNumber", "The requested partnumber is not satisfiable", 416),
    ("AbortMultipartUpload", "CompleteMultipartUpload", "ListParts", "UploadPart", "UploadPartCopy"): Meaning(
        (KeyError,),
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
        "completed.",
        404,
    ),
    (
        "PutBucketAccelerateConfiguration",
        "PutBucketAcl",
        "PutBucketCors",
        "PutBucketEncryption",
        "PutBucketInventoryConfiguration",
        "PutBucketLifecycle",
        "PutBucketLifecycleConfiguration",
        "PutBucketLogging",
        "PutBucketNotification",
        "PutBucketNotificationConfiguration",
        "PutBucketOwnershipControls",
        "PutBucketReplication",
        "PutBucketTagging",
        "PutBucketVersioning",
        "PutBucketWebsite",
        "PutObjectAcl",
        "PutObjectLegalHold",
        "PutObjectLockConfiguration",
        "PutObjectRetention",
        "PutObjectTagging",
        "PutPublicAccessBlock",
        "RestoreObject",
        "SelectObjectContent",
    ): Meaning(
        (*SHAPE, ValueError),
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    ("ListObjectsV2",): Meaning((TypeError,), "InvalidArgument", "The continuation token provided is incorrect"),
    ("DeleteObjectTagging",): Meaning((AttributeError,), "NoSuchKey", "The specified key does not exist.", 404),
}
_GLUE: _Meanings = {
    ("BatchCreatePartition", "BatchUpdatePartition", "CreatePartition", "UpdatePartition"): Meaning(
        (KeyError,), "InvalidInputException", "The number of partition keys do not match the number of partition values"
    ),
    ("CreateTable", "UpdateTable"): Meaning((AttributeError,), "InvalidInputException", "TableInput cannot be null"),
    ("DeleteRegistry", "GetRegistry"): Meaning((KeyError,), "EntityNotFoundException", "Registry is not found."),
    ("CreateTrigger",): Meaning((ValueError,), "InvalidInputException", "A condition of the trigger is not valid"),
    ("GetTables",): Meaning((re.error,), "InvalidInputException", "The expression is not a valid regular expression"),
    ("PutSchemaVersionMetadata",): Meaning(
        (AttributeError,), "InvalidInputException", "One of SchemaId and SchemaVersionId has to be provided."
    ),
}
_IAM: _Meanings = {
    (
        "ListAttachedGroupPolicies",
        "ListAttachedRolePolicies",
        "ListAttachedUserPolicies",
        "ListEntitiesForPolicy",
        "ListPolicies",
        "ListPolicyTags",
        "ListRoleTags",
        "ListRoles",
        "ListVirtualMFADevices",
    ): Meaning((ValueError,), "ValidationError", "Invalid Marker."),
    ("CreateServiceLinkedRole",): Meaning((IndexError,), "InvalidInput", "The service name is not valid."),
    ("CreateOpenIDConnectProvider",): Meaning((ValueError,), "ValidationError", "Invalid Open ID Connect Provider URL"),
    ("RemoveRoleFromInstanceProfile",): Meaning(
        (ValueError,), "NoSuchEntity", "The role is not in the instance profile.", 404
    ),
}
_SNS: _Meanings = {
    ("AddPermission", "RemovePermission"): Meaning((ValueError,), "InvalidParameter", "Invalid parameter: TopicArn"),
}
_SQS: _Meanings = {
    ("ListQueues",): Meaning((re.error,), "InvalidParameterValue", "The queue name prefix is not valid."),
}
_STS: _Meanings = {
    ("AssumeRoleWithSAML",): Meaning(
        (*SHAPE, ValueError), "InvalidIdentityToken", "The SAML assertion can't be read, or lacks what the role needs."
    ),
}
_EC2: _Meanings = {
    ("AssignIpv6Addresses",): Meaning(
        (IndexError,), "InvalidParameterValue", "The subnet of the network interface has no IPv6 CIDR block."
    ),
    ("CreateDefaultSubnet",): Meaning(
        (UnboundLocalError,), "InvalidParameterValue", "Value for parameter availabilityZone is invalid."
    ),
    ("DisassociateAddress", "ReplaceNetworkAclAssociation"): Meaning(
        (IndexError, StopIteration), "InvalidAssociationID.NotFound", "The association ID does not exist"
    ),
    ("EnableTransitGatewayRouteTablePropagation",): Meaning(
        (KeyError,), "MissingParameter", "The request must contain the parameter TransitGatewayAttachmentId"
    ),
    ("DeleteNetworkAclEntry",): Meaning(
        (StopIteration, IndexError), "InvalidNetworkAclEntry.NotFound", "The network ACL entry does not exist"
    ),
    ("DeleteVpc",): Meaning((AttributeError,), "InvalidVpcID.NotFound", "The vpc ID does not exist"),
    ("DeleteVpcEndpoints",): Meaning(
        (AttributeError,), "InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id does not exist"
    ),
    ("DetachVolume",): Meaning(
        (TypeError,), "InvalidAttachment.NotFound", "The volume is not attached to the instance."
    ),
    ("DeleteNatGateway",): Meaning((AttributeError,), "NatGatewayNotFound", "The NAT gateway was not found"),
    ("DeleteManagedPrefixList", "ModifyManagedPrefixList"): Meaning(
        (AttributeError,), "InvalidPrefixListID.NotFound", "The prefix list ID does not exist"
    ),
    ("ModifySpotFleetRequest",): Meaning(
        (TypeError,), "MissingParameter", "The request must contain the parameter TargetCapacity"
    ),
    ("RequestSpotInstances",): Meaning(
        (ValueError,), "InvalidParameterValue", "Value for parameter spotPrice is invalid."
    ),
    ("RestoreSnapshotTier",): Meaning(
        (OverflowError,), "InvalidParameterValue", "Value for parameter temporaryRestoreDays is invalid."
    ),
    ("DescribeLaunchTemplateVersions",): Meaning(
        (ValueError,), "InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version."
    ),
}
_CLOUDFORMATION: _Meanings = {
    ("DescribeStackInstance",): Meaning(
        (AttributeError,), "StackInstanceNotFoundException", "The stack instance does not exist.", 404
    ),
    ("DeleteChangeSet", "ExecuteChangeSet"): Meaning(
        (UnboundLocalError,), "ChangeSetNotFound", "The change set does not exist.", 404
    ),
}
_CLOUDTRAIL: _Meanings = {
    ("GetInsightSelectors", "PutInsightSelectors"): Meaning(
        (TypeError,), "InvalidParameterCombinationException", "One of TrailName and EventDataStore has to be given."
    ),
}
_CONFIG: _Meanings = {
    ("DescribeOrganizationConformancePacks",): Meaning(
        (TypeError,), "NoSuchOrganizationConformancePackException", "There is no such organization conformance pack."
    ),
    ("PutOrganizationConformancePack",): Meaning(
        (TypeError,), "ValidationException", "Template body is invalid, or the address of the template is missing."
    ),
}
_FIREHOSE: _Meanings = {
    ("StartDeliveryStreamEncryption", "StopDeliveryStreamEncryption"): Meaning(
        (TypeError,), "InvalidArgumentException", "The delivery stream takes no server-side encryption."
    ),
}
_KMS: _Meanings = {
    ("GenerateRandom",): Meaning((TypeError,), "ValidationException", "NumberOfBytes is required."),
    ("RetireGrant",): Meaning(
        (AttributeError,), "ValidationException", "A grant token, or the ids of key and grant, are required."
    ),
}
_SSM: _Meanings = {
    ("DeletePatchBaseline", "GetPatchBaselineForPatchGroup"): Meaning(
        (KeyError,), "DoesNotExistException", "There is no such patch baseline."
    ),
    ("RemoveTagsFromResource", "AddTagsToResource"): Meaning(
        (IndexError,), "InvalidResourceId", "The resource ID is not valid."
    ),
}
_BY_SERVICE = {
    "cloudformation": _CLOUDFORMATION,
    "cloudtrail": _CLOUDTRAIL,
    "config": _CONFIG,
    "ec2": _EC2,
    "firehose": _FIREHOSE,
    "kms": _KMS,
    "ssm": _SSM,
    "glue": _GLUE,
    "iam": _IAM,
    "s3": _S3,
    "sns": _SNS,
    "sqs": _SQS,
    "sts": _STS,
}
_MEANINGS = {
    (service, operation): meaning
    for service, meanings in _BY_SERVICE.items()
    for operations, meaning in meanings.items()
    for operation in operations
}


def meaning(service: str, operation: str, params: Mapping[str, Any], error: Exception) -> ServiceError | None:
    """Return the AWS error that a failure of moto's stands for; None if the failure is the sandbox's own."""
    detail = f"{type(error).__name__}: {error}"[:200]
    # The list first: for its operations the exception alone would be taken for something else.
    known = _MEANINGS.get((service, operation))
    if known is not None and isinstance(error, known.exceptions):
        return ServiceError(known.code, known.message, status=known.status, detail=detail)
    if told := culprits.find(service, operation, params, error):
        code, message = told
        return ServiceError(code, message, detail=detail)
    return None
