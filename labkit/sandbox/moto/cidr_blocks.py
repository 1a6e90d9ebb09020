"""Checks the CIDR blocks that are added to a VPC or subnet: moto takes any text, and then every packet fails on it.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateSubnetCidrBlock.html and
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateVpcCidrBlock.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from moto.ec2.exceptions import InvalidCIDRBlockParameterError, MissingParameterError


def of_subnet(attach: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap moto's method that adds an IPv6 block to a subnet so that it rejects anything that isn't one."""

    @wraps(attach)
    def attach_checked(subnet: Any, ipv6_cidr_block: str | None) -> Any:
        _check(ipv6_cidr_block, "ipv6CidrBlock", IPv6Network)
        return attach(subnet, ipv6_cidr_block)

    return attach_checked


def of_vpc(associate: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap moto's method that adds a block to a VPC so that it checks the block before it is kept, not afterwards."""

    @wraps(associate)
    def associate_checked(
        backend: Any, vpc_id: str, cidr_block: str | None, amazon_provided_ipv6_cidr_block: bool
    ) -> Any:
        backend.get_vpc(vpc_id)  # a VPC that doesn't exist is the error even if the block is wrong too
        if not amazon_provided_ipv6_cidr_block:
            _check(cidr_block, "cidrBlock", IPv4Network)
        return associate(backend, vpc_id, cidr_block, amazon_provided_ipv6_cidr_block)

    return associate_checked


def _check(block: str | None, parameter: str, kind: type[IPv4Network | IPv6Network]) -> None:
    if not block:
        raise MissingParameterError(parameter)
    try:
        kind(block, strict=False)
    except ValueError:
        raise InvalidCIDRBlockParameterError(block) from None
