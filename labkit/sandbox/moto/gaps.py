"""Operations that moto takes for others: it would answer, but not what was asked.

moto's S3 goes by the first parameter that it knows, so that a request for a bucket's analytics gets the bucket's
objects. An operation of a service that goes by name is refused by moto itself where it is missing.
"""

from __future__ import annotations

NOT_BY_MOTO = {
    "s3": frozenset(
        (
            "CreateBucketMetadataConfiguration",
            "CreateBucketMetadataTableConfiguration",
            "CreateSession",
            "DeleteBucketAnalyticsConfiguration",
            "DeleteBucketIntelligentTieringConfiguration",
            "DeleteBucketInventoryConfiguration",
            "DeleteBucketMetadataConfiguration",
            "DeleteBucketMetadataTableConfiguration",
            "DeleteBucketMetricsConfiguration",
            "DeleteObjectAnnotation",
            "GetBucketAbac",
            "GetBucketAnalyticsConfiguration",
            "GetBucketIntelligentTieringConfiguration",
            "GetBucketMetadataConfiguration",
            "GetBucketMetadataTableConfiguration",
            "GetBucketMetricsConfiguration",
            "GetBucketRequestPayment",
            "GetObjectAnnotation",
            "GetObjectTorrent",
            "ListBucketAnalyticsConfigurations",
            "ListBucketIntelligentTieringConfigurations",
            "ListBucketMetricsConfigurations",
            "ListObjectAnnotations",
            "PutBucketAbac",
            "PutBucketAnalyticsConfiguration",
            "PutBucketIntelligentTieringConfiguration",
            "PutBucketMetricsConfiguration",
            "PutBucketRequestPayment",
            "PutObjectAnnotation",
            "RenameObject",
            "UpdateBucketMetadataAnnotationTableConfiguration",
            "UpdateBucketMetadataInventoryTableConfiguration",
            "UpdateBucketMetadataJournalTableConfiguration",
            "UpdateObjectEncryption",
            "WriteGetObjectResponse",
        )
    )
}
"""What moto lacks without saying so, by service."""
