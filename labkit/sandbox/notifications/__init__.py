"""Amazon SNS: topics, subscriptions and the delivery of what is published.

Read it in this order:

1. `service.py` (`NotificationService`): the API's operations, and `publish`, which other services call. It builds on
   `topics.py` (`TopicOperations`); the topics themselves are moto's.
2. `subscriptions.py` (`Subscription`, `Subscriptions`): who is told about a topic, once the subscription is confirmed.
3. `checks.py`: what SNS rejects, in SNS's words, and what the sandbox doesn't support.
4. `filter_policies.py` decides which messages a subscription gets; `filter_policy_checks.py` which policies are valid.
5. `delivery.py` (`Publication`, `Delivery`) delivers mails, and JSON for queues and HTTP endpoints. Mails go to
   `sandbox/inbox.py`. `local_posts.py` posts to HTTP endpoints on this machine, and nowhere else.

For example, an alarm publishes through the sandbox's wiring, and a mail is in the inbox of everyone who confirmed:

    sandbox.wiring.publish(region, topic_arn, message="threshold crossed", subject="ALARM: ssh-rejects")
    sandbox.notifications.inbox.messages()
"""
