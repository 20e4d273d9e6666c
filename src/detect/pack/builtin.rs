//! The packs compiled in. A plain list; a test compares it with the directory.

/// Name below `detectors/` and text.
pub(super) const PACKS: &[(&str, &str)] = &[
    (
        "application/gunicorn.toml",
        include_str!("../../../detectors/application/gunicorn.toml"),
    ),
    (
        "cache/redis.toml",
        include_str!("../../../detectors/cache/redis.toml"),
    ),
    (
        "database/postgresql.toml",
        include_str!("../../../detectors/database/postgresql.toml"),
    ),
    (
        "web/nginx.toml",
        include_str!("../../../detectors/web/nginx.toml"),
    ),
];
