"""What stands between clients and moto, which trusts whatever it is given.

- `json_text`, `templates`: read what clients send, bounded in size and depth, with nothing that could run code.
- `stacks`: reads the templates of CloudFormation requests first, and gives moto these readers in place of its own.
- `failures`, `culprits`: what it means when moto fails on a request that its model allows; `gaps`: what moto takes for
  something else.
- `objects`: the bytes of S3's objects on their way into moto and out of it, by reference.
"""
