"""Inputs of operations that can't be made from their models alone: written by hand, with ids of what exists."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.sandbox.malformed.provided import ACCOUNT, POLICY, TEMPLATE

Known = Mapping[str, str]

LEFT_OUT = re.compile(
    "ContentMD5|Checksum|ExpectedBucketOwner|ExpectedSourceBucketOwner|Grant|SSE|MFA|IfMatch|IfNoneMatch|StackPolicy"
    "|TemplateURL|CopySource(If|SSE)|RequestPayer"
)
"""Members that a request has only if it means them: most contradict each other, or are of other members' bytes."""

_S3 = {
    "CreateBucket": {"Bucket": "other-bucket", "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}},
    "PutBucketVersioning": {"Bucket": "lab-bucket", "VersioningConfiguration": {"Status": "Enabled"}},
    "PutBucketPolicy": {"Bucket": "lab-bucket", "Policy": POLICY.replace('"Action"', '"Principal": "*", "Action"')},
    "PutBucketLifecycleConfiguration": {
        "Bucket": "lab-bucket",
        "LifecycleConfiguration": {
            "Rules": [{"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "x"}, "Expiration": {"Days": 1}}]
        },
    },
    "CopyObject": {"Bucket": "lab-bucket", "Key": "copy", "CopySource": "lab-bucket/key"},
    "DeleteBucket": {"Bucket": "other-bucket"},
}
_CLOUDFORMATION = {
    "CreateStack": {"StackName": "new", "TemplateBody": TEMPLATE},
    "UpdateStack": {"StackName": "stack", "TemplateBody": TEMPLATE.replace("Topic:", "Other:")},
    "CreateChangeSet": {"StackName": "stack", "ChangeSetName": "more", "TemplateBody": TEMPLATE},
}


def _with(params: Mapping[str, Any]) -> Callable[[Known], dict[str, Any]]:
    return lambda known: dict(params)


BY_OPERATION: dict[tuple[str, str], Callable[[Known], dict[str, Any]]] = {
    **{("s3", name): _with(params) for name, params in _S3.items()},
    **{("cloudformation", name): _with(params) for name, params in _CLOUDFORMATION.items()},
    ("s3", "CompleteMultipartUpload"): lambda known: {
        "Bucket": "lab-bucket",
        "Key": "key",
        "UploadId": known["uploadid"],
        "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": '"9dd4e461268c8034f5c8564e155c67a6"'}]},
    },
    ("kms", "CreateAlias"): lambda known: {"AliasName": "alias/new", "TargetKeyId": known["keyid"]},
    ("kms", "GenerateDataKey"): lambda known: {"KeyId": known["keyid"], "KeySpec": "AES_256"},
    ("sqs", "CreateQueue"): _with({"QueueName": "new"}),
    ("sns", "CreateTopic"): _with({"Name": "new"}),
    ("events", "PutEvents"): _with({"Entries": [{"Source": "a", "DetailType": "b", "Detail": "{}"}]}),
    ("cloudtrail", "CreateTrail"): _with({"Name": "trail", "S3BucketName": "lab-bucket"}),
    ("kinesis", "PutRecord"): _with({"StreamName": "stream", "Data": "YQ==", "PartitionKey": "a"}),
    ("ec2", "AuthorizeSecurityGroupIngress"): lambda known: {
        "GroupId": known["groupid"],
        "IpPermissions": [
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        ],
    },
    ("ec2", "RevokeSecurityGroupIngress"): lambda known: {
        "GroupId": known["groupid"],
        "IpPermissions": [
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        ],
    },
    ("ec2", "AttachInternetGateway"): lambda known: {
        "InternetGatewayId": known["internetgatewayid"],
        "VpcId": known["vpcid"],
    },
    ("ec2", "CreateRoute"): lambda known: {
        "RouteTableId": known["routetableid"],
        "DestinationCidrBlock": "0.0.0.0/0",
        "GatewayId": known["internetgatewayid"],
    },
    ("ec2", "CreateTags"): lambda known: {
        "Resources": [known["vpcid"]],
        "Tags": [{"Key": "a", "Value": "b"}],
    },
    ("ec2", "CreateNetworkAclEntry"): lambda known: {
        "NetworkAclId": known["networkaclid"],
        "RuleNumber": 100,
        "Protocol": "6",
        "RuleAction": "deny",
        "Egress": False,
        "CidrBlock": "10.0.0.0/8",
        "PortRange": {"From": 22, "To": 22},
    },
    ("iam", "AttachUserPolicy"): lambda known: {"UserName": "user", "PolicyArn": known["policyarn"]},
    ("logs", "PutRetentionPolicy"): _with({"logGroupName": "group", "retentionInDays": 7}),
    ("logs", "PutSubscriptionFilter"): _with({
        "logGroupName": "group",
        "filterName": "f",
        "filterPattern": "",
        "destinationArn": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f",
    }),
}  # fmt: skip
