"""The provided resources in a table."""

from __future__ import annotations

from labkit.lab.resources import SECURITY_GROUPS
from labkit.lab.session import Lab
from labkit.show.tables import Table


def provided_table(lab: Lab) -> Table:
    """Return a table of the provided resources: kind, name, id."""
    server = lab.web_server
    role = lab.delivery_role
    rows = [
        ("VPC", lab.vpc.name, f"{lab.vpc.id} ({lab.vpc.cidr})"),
        ("instance", server.name, f"{server.id} ({server.public_ip}, inside {server.private_ip})"),
        ("network interface", "of the Web Server", server.interface_id),
        ("attached now", ", ".join(server.security_groups), "security group of the Web Server"),
        *(("security group", group.name, group.id) for group in map(lab.security_group, SECURITY_GROUPS)),
        ("bucket", lab.bucket, f"s3://{lab.bucket}/AWSLogs/"),
        ("role", role.name, role.arn),
    ]
    return Table(f"Provided in {lab.region}", ("what", "name", "id"), rows)
