import pytest

from tests.sandbox.athena.conftest import BUCKET, Athena


@pytest.fixture
def orders(athena: Athena) -> Athena:
    """A table `orders`, with partitions by day and country."""
    athena.lines(
        "CREATE EXTERNAL TABLE orders (id int, total double) PARTITIONED BY (dt string, country string)"
        f" ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://{BUCKET}/orders/'"
    )
    return athena
