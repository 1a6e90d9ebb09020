"""Operations that moto takes for other ones: it would answer, but not what was asked.

moto's S3 decides by the first parameter that it knows, so a request for a bucket's analytics returns the bucket's
objects. A service that decides by the operation's name rejects a missing operation itself.
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
"""The operations that moto lacks without raising an error, by service."""
