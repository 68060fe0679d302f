"""A stand-in for Snowflake: fakesnow over TLS, with sign-in, locks, rights, and the parts of its SQL that it lacks."""
