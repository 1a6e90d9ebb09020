"""Topics, subscriptions and mails (Amazon SNS)."""
