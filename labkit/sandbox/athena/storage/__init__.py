"""Tables on S3: which objects a query reads, how their bytes become columns, and the columnar copy that is kept."""
