"""The error codes of S3 and of stores that speak its language: which of them pass, and what to do about the others."""

from __future__ import annotations

REFUSED = {
    *("AuthFailure", "CredentialsNotSupported", "ExpiredToken", "InvalidAccessKeyId", "InvalidClientTokenId"),
    *("InvalidSecurity", "InvalidToken", "InvalidTokenId", "NotSignedUp", "RequestExpired", "SignatureDoesNotMatch"),
    *("TokenRefreshRequired", "UnauthorizedAccess", "UnrecognizedClientException", "UnsupportedSignature"),
}
"""Codes by which the store refuses the credentials, whatever they ask for."""

WITHOUT_BUCKET = {
    *("NoSuchBucket", "InvalidBucketName", "PermanentRedirect", "AuthorizationHeaderMalformed", "NoSuchAccessPoint"),
    *("IllegalLocationConstraintException", "InvalidAccessPoint", "InvalidAccessPointAliasError"),
    *("NoSuchMultiRegionAccessPoint", "AllAccessDisabled", "InvalidBucketState"),
}
"""Codes by which it says that the bucket isn't there, or not there."""

PASSING = {
    *("BadDigest", "BandwidthLimitExceeded", "Busy", "ConditionalRequestConflict", "IncompleteBody", "InternalError"),
    *("KMS.ThrottlingException", "OperationAborted", "RequestLimitExceeded", "RequestThrottled", "RequestTimeout"),
    *("ServerBusy", "ServiceUnavailable", "SlowDown", "SlowDownRead", "SlowDownWrite", "TemporaryRedirect"),
    *("Throttling", "ThrottlingException", "TooManyRequests", "XAmzContentSHA256Mismatch"),
    *("408", "425", "429", "500", "502", "503", "504"),
}
"""Codes that are likely to pass, whatever their HTTP status."""

LASTING = {
    *("NotImplemented", "XNotImplemented", "QuotaExceeded", "StorageFull", "XMinioStorageFull"),
    *("InsufficientStorage", "InvalidBucketState", "RestoreAlreadyInProgress", "501", "505", "507"),
}
"""Codes that do not pass, though their HTTP status may be 5xx or 429."""

CONFLICTS = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}

_REGION = "Set destination.config.region to the bucket's own region."
_KEY_ID = "Fix credentials.access_key_id: the store does not know it."
_TOKEN = "Renew credentials.session_token, with the keys that belong to it."  # noqa: S105 (a hint)
_CLOCK = "Set the clock of the machine that runs the task (NTP): signatures hold for 15 minutes."
_KMS = "Fix destination.config.kms_key_id: an enabled key of the bucket's region that these credentials may use."
_ACCESS_POINT = "Fix destination.config.bucket: the ARN of an access point in destination.config.region."
_FULL = "Free space in the store, or raise the quota."
_TAGS = "Fix destination.config.tags."

HINTS = {
    "AccessDenied": "Grant {rights} on the bucket and prefix. If a policy of the bucket demands encryption, set"
    " destination.config.sse and kms_key_id.",
    "403": "Fix the credentials, or grant {rights} on the bucket and prefix.",
    "AccountProblem": "Contact the store's support: the account is not in order.",
    "AllAccessDisabled": "Contact the store's support: the bucket is disabled.",
    "AuthorizationHeaderMalformed": _REGION,
    "EntityTooLarge": "Set data.max_rows_per_file or data.max_file_size, so that parts get smaller.",
    "ExpiredToken": _TOKEN,
    "IllegalLocationConstraintException": _REGION,
    "InsufficientStorage": _FULL,
    "InvalidAccessKeyId": _KEY_ID,
    "InvalidAccessPoint": _ACCESS_POINT,
    "InvalidAccessPointAliasError": _ACCESS_POINT,
    "InvalidArgument": "Fix the key of destination.config that the store names.",
    "InvalidBucketName": "Fix destination.config.bucket.",
    "InvalidBucketState": "Enable the bucket.",
    "InvalidClientTokenId": _KEY_ID,
    "InvalidEncryptionAlgorithmError": "Set destination.config.sse to AES256 or aws:kms.",
    "InvalidObjectState": "The object is archived: restore it, or use another destination.config.storage_class.",
    "InvalidStorageClass": "Fix destination.config.storage_class.",
    "InvalidTag": _TAGS,
    "InvalidToken": _TOKEN,
    "InvalidTokenId": _TOKEN,
    "KeyTooLongError": "Shorten destination.config.prefix or the export's name: a key has 1,024 bytes at most.",
    "KMS.AccessDeniedException": "Grant kms:GenerateDataKey and kms:Decrypt on the key.",
    "KMS.DisabledException": _KMS,
    "KMS.InvalidKeyUsageException": _KMS,
    "KMS.InvalidStateException": _KMS,
    "KMS.KMSInvalidStateException": _KMS,
    "KMS.NotFoundException": _KMS,
    "MalformedXML": "Check for a proxy between this machine and the store that changes requests.",
    "MetadataTooLarge": "Shorten the export's name.",
    "MethodNotAllowed": "Fix destination.config.endpoint_url: the address of the store's S3 interface.",
    "MissingContentLength": "Check for a proxy between this machine and the store that changes requests.",
    "NoSuchAccessPoint": _ACCESS_POINT,
    "NoSuchBucket": "Create the bucket, or fix destination.config.bucket and region.",
    "NoSuchMultiRegionAccessPoint": _ACCESS_POINT,
    "NoSuchUpload": "Clear load.",
    "NotSignedUp": "Sign the account up for S3, or use credentials of an account that is.",
    "PermanentRedirect": _REGION,
    "QuotaExceeded": _FULL,
    "RequestTimeTooSkewed": _CLOCK,
    "RequestExpired": _CLOCK,
    "SignatureDoesNotMatch": "Fix credentials.secret_access_key: it does not fit the access key id.",
    "StorageFull": _FULL,
    "TokenRefreshRequired": _TOKEN,
    "UnauthorizedAccess": "Use credentials of the bucket's partition: those of aws-cn hold in China's regions alone.",
    "UnsupportedSignature": "Fix destination.config.endpoint_url: the store takes no signature of version 4.",
    "XMinioStorageFull": _FULL,
    "507": _FULL,
    # What botocore raises by itself.
    "NoCredentialsError": "Give credentials, a conn_id, or run where the default chain finds some.",
    "PartialCredentialsError": "Give both access_key_id and secret_access_key.",
    "ParamValidationError": "Fix destination.config.",
    "NoRegionError": "Set destination.config.region.",
    "ProfileNotFound": "Fix the profile that the connection or AWS_PROFILE names.",
    "InvalidRegionError": "Fix destination.config.region.",
}
"""What to do about a code; `{rights}` stands for what the action needs."""
