"""The error codes of Azure Blob Storage: which of them pass, and what to do about the others."""

from __future__ import annotations

_KEY = "Fix account_key, or renew sas_token: Azure does not accept it, or it has expired."
_NETWORK = (
    "Fix account_key, or renew sas_token, or allow this machine in the account's network rules (firewall, private"
    " endpoint, public network access)."
)
_HTTPS = "Use https in destination.config.endpoint_url."
_VAULT = "Fix the account's customer-managed key: its vault must exist, and the account's identity must have the key."
CLOCK = "Set the clock of the machine that runs the task (NTP): a signature holds for 15 minutes."
EXPIRED = "Renew sas_token: it has expired, or does not hold yet."

REFUSED = {
    "AuthenticationFailed": _KEY,
    "InvalidAuthenticationInfo": "Fix account_key or sas_token: Azure can't read it.",
    "AuthorizationFailure": _NETWORK,
    "AccountIsDisabled": "Enable the storage account: look at its subscription first.",
    "KeyBasedAuthenticationNotPermitted": "The account refuses keys: use sas_token, conn_id or the default chain.",
    "NoAuthenticationInformation": "Give account_key, sas_token or conn_id.",
    "PublicAccessNotPermitted": "The account allows no anonymous access: give account_key, sas_token or conn_id.",
    "AuthorizationSourceIPMismatch": "Renew sas_token so that it allows this machine's address.",
    "AuthorizationProtocolMismatch": f"{_HTTPS} sas_token allows nothing else.",
    "AuthorizationServiceMismatch": "Renew sas_token so that it allows the blob service (ss=b).",
    "AuthorizationResourceTypeMismatch": "Renew sas_token so that it allows containers and objects (srt=co).",
    "AccountRequiresHttps": _HTTPS,
    "TlsVersionNotPermitted": "Update the Python of the machine that runs the task: the account demands a newer TLS.",
    "KeyVaultEncryptionKeyNotFound": _VAULT,
    "KeyVaultAccessTokenCannotBeAcquired": _VAULT,
    "KeyVaultVaultNotFound": _VAULT,
}
"""Codes by which the store refuses whoever asks, whatever they ask for."""

IMMUTABLE = (
    "An immutability policy or a legal hold keeps the blob: let the policy allow what an export replaces, or use"
    " another container or prefix."
)
_LEASE = "Break the lease on the blob, or wait until it ends; nothing else may hold leases below the prefix."
_REHYDRATE = "Rehydrate the blob, or use another destination.config.access_tier."
_TIER = "Fix destination.config.access_tier, or leave it out: this account does not know the tier."
_TAGS = "Leave destination.config.tags out: accounts with a hierarchical namespace know no index tags."
_SMALLER = "Set data.max_rows_per_file or data.max_file_size, so that parts get smaller."
_KIND = "Delete the blob of that name, or use another prefix: it is of another kind than a block blob."

HINTS = {
    "BlobImmutableDueToPolicy": IMMUTABLE,
    "BlobImmutableDueToLegalHold": IMMUTABLE,
    "ContainerImmutableDueToPolicy": IMMUTABLE,
    "LeaseIdMissing": _LEASE,
    "LeaseIdMismatchWithBlobOperation": _LEASE,
    "LeaseIdMismatchWithContainerOperation": _LEASE,
    "LeaseNotPresentWithBlobOperation": _LEASE,
    "LeaseLost": _LEASE,
    "LeaseAlreadyPresent": _LEASE,
    "BlobArchived": _REHYDRATE,
    "BlobBeingRehydrated": "Wait until the blob is rehydrated, which takes hours, then clear the task.",
    "InvalidBlobTier": _TIER,
    "BlobAccessTierNotSupportedForAccountType": _TIER,
    "AccessTierNotSupportedForAccountType": _TIER,
    "BlobTierInadequateForContentLength": _TIER,
    "FeatureNotYetSupportedForHierarchicalNamespaceAccounts": _TAGS,
    "FeatureNotSupportedForHierarchicalNamespaceAccounts": _TAGS,
    "BlobTagsNotSupportedForAccountType": _TAGS,
    "InvalidTag": "Fix destination.config.tags.",
    "TagsTooLarge": "Fix destination.config.tags: fewer or shorter ones.",
    "InvalidBlobType": _KIND,
    "ResourceTypeMismatch": _KIND,
    "BlobUsesCustomerSpecifiedEncryption": "Delete the blob of that name: it is encrypted with a key of its own.",
    "SnapshotsPresent": "Delete the blob's snapshots.",
    "RequestBodyTooLarge": _SMALLER,
    "BlockCountExceedsLimit": _SMALLER,
    "BlockListTooLong": _SMALLER,
    "UncommittedBlockCountExceedsLimit": "Wait a week, or delete the blob's uncommitted blocks; then clear load.",
    "MetadataTooLarge": "Shorten the export's name.",
    "ContainerNotFound": "Create the container, or fix destination.config.container.",
    "ContainerDisabled": "Enable the container.",
    "ResourceNotFound": "Fix destination.config.account_name, container or endpoint_url.",
    "InvalidResourceName": "Fix destination.config.container.",
    "InvalidUri": "Fix destination.config.container, prefix or endpoint_url.",
    "OutOfRangeInput": "Fix destination.config.container.",
    "InvalidQueryParameterValue": "Fix destination.config.endpoint_url: the account's address and nothing behind it.",
    "UnsupportedHttpVerb": "Fix destination.config.endpoint_url: the address of the account's blob service.",
    "InsufficientAccountPermissions": "Use a key, token or identity that may write to this account.",
    "UnauthorizedBlobOverwrite": "Give sas_token the permission w beside c: a manifest is overwritten.",
    "UnsupportedHeader": "Fix destination.config.endpoint_url: the store there is too old for this client.",
    "AccountBeingDeleted": "Use another account.",
}
"""What to do about a code that does not pass."""

PASSING = {
    *("AccountBeingCreated", "ContainerBeingDeleted", "Crc64Mismatch", "IncompleteBody", "InternalError"),
    *("Md5Mismatch", "OperationTimedOut", "PendingCopyOperation", "ServerBusy", "SystemInUse"),
}
"""Codes that are likely to pass, whatever their HTTP status."""

PASSING_HINTS = {
    "ContainerBeingDeleted": "The container is being deleted: create it again in a minute. The task tries again.",
}

TAKEN = {
    "",
    "BlobAlreadyExists",
    "ResourceAlreadyExists",
    "ConditionNotMet",
    "TargetConditionNotMet",
    "BlobOverwritten",
}
"""Codes of 409 and 412 by which a condition was not met."""
