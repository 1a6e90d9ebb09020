"""Resources that moto's CloudFormation lacks, or makes without what the template asks for."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, cast

from moto.core.common_models import CloudFormationModel
from moto.ec2.models.instances import Instance
from moto.ec2.models.subnets import Subnet, SubnetRouteTableAssociation
from moto.s3.exceptions import MissingBucket

from labkit.sandbox import moto_state


class Named:
    """A resource whose name is its id, without other attributes.

    It isn't a subclass of CloudFormationModel, because moto finds only the direct subclasses of that one.
    """

    def __init__(self, name: str) -> None:
        self.physical_resource_id = name

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Return False: a template can't ask for any attribute."""
        return False


class BucketPolicy(Named, CloudFormationModel):
    """AWS::S3::BucketPolicy, which moto's CloudFormation does not know; it goes by the bucket's name."""

    @staticmethod
    def cloudformation_name_type() -> str:
        """Return no property: the policy has no name of its own."""
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        """Return the type in a template."""
        return "AWS::S3::BucketPolicy"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
    ) -> BucketPolicy:
        """Set the policy of the bucket."""
        properties = cloudformation_json["Properties"]
        # Through moto's method, which is patched: a stack's policy is checked like a request's.
        document = json.dumps(properties["PolicyDocument"]).encode()
        moto_state.backend("s3", account_id, "aws").put_bucket_policy(properties["Bucket"], document)
        return cls(properties["Bucket"])

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        """Remove the policy from the bucket, if that still exists: moto deletes a stack's resources in any order."""
        with suppress(MissingBucket):
            moto_state.backend("s3", account_id, "aws").delete_bucket_policy(resource_name)


class KeyPairImport(Named, CloudFormationModel):
    """AWS::EC2::KeyPair with a public key, which moto's CloudFormation does not know."""

    @staticmethod
    def cloudformation_name_type() -> str:
        """Return the property that names the key pair."""
        return "KeyName"

    @staticmethod
    def cloudformation_type() -> str:
        """Return the type in a template."""
        return "AWS::EC2::KeyPair"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
    ) -> KeyPairImport:
        """Import the public key."""
        properties = cloudformation_json["Properties"]
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        backend = moto_state.backend("ec2", account_id, region_name)
        backend.import_key_pair(properties["KeyName"], properties["PublicKeyMaterial"].encode(), tags)
        return cls(properties["KeyName"])

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        """Delete the key pair."""
        moto_state.backend("ec2", account_id, region_name).delete_key_pair(resource_name)


def create_instance(
    resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
) -> Instance:
    """Make an instance as moto does, plus its security groups by id and the public address that its subnet gives."""
    properties = cloudformation_json["Properties"]
    backend = moto_state.backend("ec2", account_id, region_name)
    subnet = backend.get_subnet(properties["SubnetId"])
    reservation = backend.run_instances(
        image_id=properties["ImageId"],
        user_data=properties.get("UserData"),
        count=1,
        security_group_names=[],
        security_group_ids=properties.get("SecurityGroupIds", []),
        instance_type=properties.get("InstanceType", "m1.small"),
        is_instance_type_default="InstanceType" not in properties,
        subnet_id=subnet.id,
        private_ip=properties.get("PrivateIpAddress"),
        key_name=properties.get("KeyName"),
        metadata_options=properties.get("MetadataOptions", {}),
        # moto keeps the value as it came, as a boolean or as text.
        associate_public_ip=subnet.map_public_ip_on_launch in (True, "true"),
        tags={"instance": {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}},
    )
    instance: Instance = reservation.instances[0]
    return instance


_create_moto_subnet = Subnet.create_from_cloudformation_json


def create_subnet(
    resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
) -> Subnet:
    """Make a subnet as moto does, plus MapPublicIpOnLaunch, and by default in a zone of its own region."""
    cloudformation_json["Properties"].setdefault("AvailabilityZone", f"{region_name}a")
    subnet: Any = _create_moto_subnet(resource_name, cloudformation_json, account_id, region_name, **kwargs)
    if cloudformation_json["Properties"].get("MapPublicIpOnLaunch") in (True, "true"):
        subnet.map_public_ip_on_launch = "true"
    return cast(Subnet, subnet)


def create_route_table_association(
    resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
) -> SubnetRouteTableAssociation:
    """Make a route table association where DescribeRouteTables looks for it, which moto's own doesn't."""
    properties = cloudformation_json["Properties"]
    backend = moto_state.backend("ec2", account_id, region_name)
    backend.associate_route_table(properties["RouteTableId"], subnet_id=properties["SubnetId"])
    association: Any = SubnetRouteTableAssociation
    return cast(SubnetRouteTableAssociation, association(properties["RouteTableId"], properties["SubnetId"]))


def delete_route_table(resource_name: str, cloudformation_json: Any, account_id: str, region_name: str) -> None:
    """Delete a route table with its associations; moto leaves both."""
    backend = moto_state.backend("ec2", account_id, region_name)
    # A copy of the list, which shrinks on the way; and associations first, because a table in use can't be deleted.
    for association in list(backend.get_route_table(resource_name)._associations):
        backend.disassociate_route_table(association)
    backend.delete_route_table(resource_name)


def delete_internet_gateway(resource_name: str, cloudformation_json: Any, account_id: str, region_name: str) -> None:
    """Detach an internet gateway from its VPC and delete it; moto leaves it."""
    backend = moto_state.backend("ec2", account_id, region_name)
    gateway = backend.get_internet_gateway(resource_name)
    if gateway.vpc:  # an attached gateway can't be deleted
        backend.detach_internet_gateway(resource_name, gateway.vpc.id)
    backend.delete_internet_gateway(resource_name)
