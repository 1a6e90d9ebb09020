"""labkit does the AWS actions of the VPC Flow Logs lab workbook."""
