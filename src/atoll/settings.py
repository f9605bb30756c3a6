"""Every setting of the platform, with its default and help, in one typed object.

Read from the environment as `ATOLL_<NAME>`; `atoll settings` shows those in force.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of one Atoll process."""

    model_config = SettingsConfigDict(env_prefix="ATOLL_", frozen=True, extra="ignore")

    home: Path = Field(
        default=Path("~/.atoll"),
        description="Directory for everything the embedded defaults keep: records, keys, quarantine, lake.",
    )
    host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    port: int = Field(default=8470, ge=0, le=65535, description="Port the API listens on; 0 picks a free one.")
    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="SQLAlchemy URL of the record store (SQLite or PostgreSQL); empty means SQLite in the home.",
    )
    catalog_url: SecretStr = Field(
        default=SecretStr(""),
        description="SQLAlchemy URL of the Iceberg catalog; empty means SQLite in the home.",
    )
    lake_dir: Path | None = Field(default=None, description="Directory of the lake; empty means `lake` in the home.")
    quarantine_dir: Path | None = Field(
        default=None,
        description="Directory of identified and rejected data; empty means `quarantine` in the home.",
    )
    shares_dir: Path | None = Field(
        default=None, description="Directory of the projects' shares; empty means `shares` in the home."
    )
    project_share_bytes: int = Field(default=100 * 2**30, gt=0, description="Quota of one project's share, in bytes.")
    environments_dir: Path | None = Field(
        default=None, description="Directory of machines' environments; empty means `environments` in the home."
    )
    master_key: SecretStr = Field(
        default=SecretStr(""),
        description="Master key, 64 hexadecimal digits; empty means the file `keys/master.key` in the home (0600).",
    )
    master_key_kms: str = Field(
        default="",
        description="Key of AWS KMS (id, ARN or alias) that unwraps the master key in the home's `keys/master.kms`; "
        "empty means none. Give no `master_key` then.",
    )
    master_key_kms_region: str = Field(default="", description="Region of that key; empty means the host's own.")
    master_key_kms_endpoint: str = Field(
        default="", description="URL of KMS where it is not the region's own, such as a VPC endpoint."
    )
    web_dir: Path | None = Field(
        default=None, description="Directory of the built web application; empty means the one that ships with Atoll."
    )
    log_level: str = Field(default="info", description="Least level logged: debug, info, warning, error.")
    upload_max_bytes: int = Field(default=2**40, gt=0, description="Largest file a source may deliver, in bytes.")
    archive_files: int = Field(default=10_000, ge=1, description="Most files in one delivered archive.")
    archive_bytes: int = Field(default=2**40, gt=0, description="Most that one archive may open to, in bytes.")
    archive_ratio: int = Field(
        default=200, ge=1, description="Most that an archive may grow when it is opened, beyond the first 64 MiB."
    )
    inbox_dir: Path | None = Field(
        default=None,
        description="Directory that sources' files are copied into, as `<source>/<dataset>/<delivery>/<file>`; "
        "empty: none is watched.",
    )
    inbox_s3_url: str = Field(
        default="",
        description="Bucket and prefix with the same folders, like `s3://deliveries/inbox`; credentials are those of "
        "the environment. Empty: none is watched.",
    )
    inbox_s3_endpoint: str = Field(default="", description="Address of an S3 API that is not AWS.")
    inbox_seconds: float = Field(default=5.0, gt=0, description="How often inboxes are looked at, in seconds.")
    inbox_settle_seconds: float = Field(
        default=60.0,
        ge=0,
        description="A folder of an inbox in which nothing was written for so long is as its source left it; what is "
        "wrong with it is told then.",
    )
    sftp_port: int | None = Field(
        default=None, ge=0, le=65535, description="Port of the SFTP server for sources, 0 for a free one; empty: none."
    )
    sftp_host: str = Field(default="", description="Address the SFTP server listens on; empty means that of the API.")
    sftp_source_bytes: int = Field(
        default=2**40, gt=0, description="Most that one source may have lying in its SFTP folder, in bytes."
    )
    raw_retention_days: int = Field(
        default=30,
        ge=0,
        description="Days that the files of a settled delivery wait in quarantine before they are removed; a contract "
        "may say otherwise for its dataset.",
    )
    held_retention_days: int = Field(
        default=365,
        ge=0,
        description="Days that rows which were held stay in quarantine after they entered by a replay or were rejected "
        "for good; a contract may say otherwise for its dataset.",
    )
    operation_workers: int = Field(default=1, ge=0, description="Operations run at once by this process; 0 runs none.")
    machine_workers: int = Field(default=4, ge=0, description="Operations on machines run at once by this process.")
    operation_lease_seconds: float = Field(
        default=30.0, gt=0, description="How long a silent worker keeps its operation before another takes it over."
    )
    admission_deadline_seconds: float = Field(
        default=86_400.0, gt=0, description="Time after which an admission that is not done fails."
    )
    executor: str = Field(
        default="",
        description="Where admissions are carried out: empty for this process, or `dask://HOST:PORT` of a scheduler "
        "whose workers see quarantine and lake at the same paths, as the same account.",
    )
    executor_share_bytes: int = Field(
        default=2**27,
        ge=2**16,
        description="Files larger than this are cut for the workers of a cluster, where their format allows, in bytes.",
    )
    executor_tls_ca: Path | None = Field(
        default=None, description="Authority (PEM) that certificates of the cluster are of; needed beyond this host."
    )
    executor_tls_cert: Path | None = Field(default=None, description="This process's certificate for the cluster, PEM.")
    executor_tls_key: Path | None = Field(default=None, description="The key of that certificate, PEM.")
    lake_file_bytes: int = Field(
        default=2**28, ge=2**16, description="What compaction makes files of tables as large as, in bytes."
    )
    compact_files: int = Field(
        default=32, ge=0, description="A table to which so many small files have come is compacted; 0: only when asked."
    )
    versions_kept: int = Field(
        default=50, ge=1, description="So many of the newest versions of a dataset never expire by themselves."
    )
    versions_days: float = Field(
        default=90.0, ge=0, description="Older versions expire so many days after the next one came."
    )
    versions_most: int = Field(
        default=1000,
        ge=0,
        description="Of a dataset with more versions than so many the oldest expire, however young; 0: no bound. "
        "Every version makes planning and committing a little slower.",
    )
    sweep_hours: float = Field(
        default=24.0,
        ge=0,
        description="How often old versions of datasets are expired and files that nothing refers to are removed, in "
        "hours; 0: only when asked.",
    )
    orphan_hours: float = Field(
        default=24.0, ge=1, description="How old a file of the lake that nothing refers to must be to be removed."
    )
    upkeep_workers: int = Field(
        default=1, ge=0, description="Operations of the lake's maintenance run at once by this process; 0 runs none."
    )
    query_workers: int = Field(default=2, ge=0, description="Query processes kept warm.")
    query_concurrency: int = Field(default=4, ge=1, description="Queries run at once; more wait their turn.")
    query_memory_bytes: int = Field(default=2**30, ge=2**26, description="Memory of one query, in bytes.")
    query_seconds: float = Field(default=120.0, gt=0, description="Time of one query, in seconds.")
    query_max_rows: int = Field(default=5_000_000, ge=1, description="Rows of one result; more is an error.")
    query_threads: int = Field(default=2, ge=1, description="Threads of one query.")
    query_max_eur: float = Field(default=5.0, gt=0, description="Price of what one query may scan, in EUR.")
    query_runners: int = Field(
        default=2, ge=0, description="Queued queries run at once by this process; more wait. 0 runs none."
    )
    query_wait_seconds: float = Field(
        default=3600.0, gt=0, description="Time after which a queued query that is not done fails."
    )
    result_hours: float = Field(default=24.0, gt=0, description="How long the result of a queued query is kept.")
    result_bytes: int = Field(default=2 * 2**30, ge=2**20, description="Largest result that is kept, in bytes.")
    results_bytes: int = Field(
        default=20 * 2**30, ge=2**20, description="All kept results together, in bytes; the oldest go first."
    )
    results_dir: Path | None = Field(
        default=None, description="Directory of kept results; empty means `results` in the home."
    )
    sign_in_hours: float = Field(default=12.0, gt=0, description="How long the token of a sign-in is good.")
    token_days: float = Field(default=90.0, gt=0, description="How long an API token is good if not said otherwise.")
    session_hours: float = Field(
        default=12.0, gt=0, description="How long a browser stays signed in, whatever is done there."
    )
    session_idle_minutes: float = Field(
        default=60.0, gt=0, description="A browser in which nothing was done for so long is signed out."
    )
    public_url: str = Field(
        default="",
        description="Address at which people reach Atoll, like `https://atoll.example.org`; empty takes it from each "
        "request. With TLS ended by a proxy in front it must be set, so that cookies are for TLS only.",
    )
    ldap_urls: tuple[str, ...] = Field(
        default=(),
        description='Servers of the directory, in order of choice, as JSON list like `["ldaps://ldap.example.org"]`; '
        "`ldap://` is raised to TLS first. Empty: no directory.",
    )
    ldap_kind: str = Field(default="generic", description="Kind of directory: `generic` or `ad` (Active Directory).")
    ldap_ca_file: Path | None = Field(
        default=None, description="Certificates (PEM) that vouch for the directory; empty means the host's own."
    )
    ldap_base: str = Field(default="", description="Name of the entry below which people are found.")
    ldap_bind_dn: str = Field(default="", description="Account that searches the directory; empty means anonymously.")
    ldap_bind_password: SecretStr = Field(default=SecretStr(""), description="Password of that account.")
    ldap_user_dn: str = Field(
        default="",
        description="Without an account that searches: name of a person's entry, like `uid={login},ou=people,...`.",
    )
    ldap_user_filter: str = Field(
        default="", description="Filter that finds a person by `{login}`; empty means that of the kind."
    )
    ldap_active_filter: str = Field(
        default="", description="Filter that people who may sign in meet; empty means that of the kind."
    )
    ldap_group_base: str = Field(
        default="", description="Name of the entry below which groups are found; empty: none are read."
    )
    ldap_group_filter: str = Field(
        default="", description="Filter that finds groups by their member `{dn}` or `{login}`; empty: that of the kind."
    )
    ldap_timeout_seconds: float = Field(default=5.0, gt=0, description="How long a server may take to answer.")
    directory_seconds: float = Field(
        default=15.0, gt=0, description="How often people on record are compared with the directory, in seconds."
    )
    group_map: Path | None = Field(
        default=None,
        description="File (YAML) that says what groups of the directory or issuer give; without it nobody comes in "
        "from there.",
    )
    oidc_issuer: str = Field(
        default="", description="OpenID Connect issuer, like `https://login.example.org/realms/hospital`; empty: none."
    )
    oidc_name: str = Field(default="Single sign-on", description="What the sign-in page calls the issuer.")
    oidc_client_id: str = Field(default="", description="Client id of Atoll at the issuer.")
    oidc_client_secret: SecretStr = Field(
        default=SecretStr(""), description="Client secret; empty for a public client, which PKCE protects."
    )
    oidc_scopes: str = Field(default="openid profile email", description="Scopes asked of the issuer.")
    oidc_login_claim: str = Field(default="preferred_username", description="Claim that a new person's login is from.")
    oidc_groups_claim: str = Field(
        default="groups", description="Claim that holds the groups; dots lead inwards, like `realm_access.roles`."
    )
    oidc_ca_file: Path | None = Field(
        default=None, description="Certificates (PEM) that vouch for the issuer; empty means the host's own."
    )
    oidc_ask_seconds: float = Field(
        default=45.0,
        gt=0,
        description="How often the issuer is asked whether people are still there, in seconds; by the refresh tokens "
        "that it gives, with `offline_access` among the scopes where it wants that.",
    )
    oidc_grace_hours: float = Field(
        default=8.0,
        gt=0,
        description="How long people stay whom the issuer vouched for and cannot be asked about, because it is away.",
    )
    oidc_trust_hours: float = Field(
        default=72.0,
        gt=0,
        description="How long the issuer's word counts; who has not signed in for so long is taken to have left.",
    )
    training_required: bool = Field(
        default=False, description="Whether data is closed to people whose training is not on record or has ended."
    )
    agreement_required: bool = Field(
        default=False, description="Whether data is closed to people whose signed agreement is not on record or over."
    )
    price_book: Path | None = Field(
        default=None, description="Directory of price books (YAML); empty means the ones that ship with Atoll."
    )

    size_table: Path | None = Field(
        default=None, description="Table of machine sizes (YAML); empty means the one that ships with Atoll."
    )
    person_vcpu: float = Field(default=16.0, ge=0, description="vCPU of the running machines of one person, in all.")
    person_memory_bytes: int = Field(
        default=64 * 2**30, ge=0, description="Memory of the machines of one person that hold some, in bytes."
    )
    project_vcpu: float = Field(default=64.0, ge=0, description="vCPU of the running machines of one project, in all.")
    project_memory_bytes: int = Field(
        default=256 * 2**30, ge=0, description="Memory of the machines of one project that hold some, in bytes."
    )
    host_vcpu_per_processor: float = Field(
        default=8.0, gt=0, description="vCPU lent to machines for each processor of the host; most of them wait."
    )
    host_vcpu: float | None = Field(
        default=None,
        ge=0,
        description="vCPU lent to machines in all; empty means the host's processors times `host_vcpu_per_processor`.",
    )
    host_memory_bytes: int | None = Field(
        default=None, ge=0, description="Memory lent to machines in all, in bytes; empty means all the host has."
    )
    vm_memory_overcommit: float = Field(
        default=0.9,
        gt=0,
        description="Memory that virtual machines may have together, in parts of the host's; 1 is all it has.",
    )

    machine_url: str = Field(
        default="",
        description="Address of machines, like `https://{workspace}.machines.example.org`, of a domain that holds "
        "nothing else; empty gives each machine a port of its own.",
    )
    machine_port: int = Field(
        default=8471, ge=0, le=65535, description="With `machine_url`, the port on which machines are served."
    )
    machine_ports: str = Field(
        default="8500-8599",
        pattern=r"^\d{1,5}-\d{1,5}$",
        description="Without `machine_url`, the first and last port for machines; `0-0` picks free ones.",
    )
    machine_host: str = Field(
        default="",
        description="Without `machine_url`, the name or address by which browsers reach `host`; empty means the same.",
    )
    machine_session_hours: float = Field(
        default=12.0, gt=0, description="How long a browser stays signed in to a machine."
    )

    mirror_pypi_url: str = Field(
        default="", description="Upstream of Python packages; empty means what the host's own pip is set to."
    )
    mirror_npm_url: str = Field(
        default="", description="Upstream of npm packages; empty means what the host's own npm is set to."
    )
    mirror_cran_url: str = Field(
        default="", description="Upstream of R packages; empty means what the host's own R is set to."
    )
    mirror_debian_url: str = Field(
        default="", description="Upstream of Debian packages; empty means what the host's own apt is set to."
    )
    mirror_allow: tuple[str, ...] = Field(
        default=(),
        description='Packages that machines may have, as JSON list of globs like `["pypi/*"]`; empty means all.',
    )
    mirror_block: tuple[str, ...] = Field(
        default=(),
        description='Packages or versions that no machine may have, as JSON list like `["npm/left-pad==1.*"]`.',
    )
    mirror_min_age_days: float = Field(
        default=0.0, ge=0, description="Versions of packages younger than this are held back, in days."
    )
    mirror_advisories: Path | None = Field(
        default=None, description="Directory of known vulnerabilities in the OSV format; versions named there are held."
    )
    mirror_indexes: bool = Field(
        default=False,
        description="Whether the mirror passes on lists of all packages, which CRAN and Debian need for dependencies.",
    )
    mirror_cache_bytes: int = Field(
        default=20 * 2**30, ge=0, description="Package files kept by the mirror, in bytes; the longest unused go first."
    )
    mirror_file_bytes: int = Field(default=4 * 2**30, gt=0, description="Largest package file, in bytes.")
    git_push_bytes: int = Field(default=2**28, gt=0, description="Largest push to a project's git, in bytes.")
    git_repository_bytes: int = Field(
        default=2**32, gt=0, description="A git repository that has grown to this many bytes takes no more pushes."
    )
    git_backup_dir: Path | None = Field(
        default=None, description="Directory of backups of git repositories; empty means `git-backups` in the home."
    )
    git_backup_hours: float = Field(
        default=24.0, ge=0, description="How often git repositories are backed up, in hours; 0 never."
    )
    git_backup_generations: int = Field(
        default=14, ge=1, description="Generations kept of the backup of a git repository."
    )

    airlock_dir: Path | None = Field(
        default=None, description="Directory of the airlock's encrypted files; empty means `airlock` in the home."
    )
    airlock_file_bytes: int = Field(default=2**26, gt=0, description="Largest file in the airlock, in bytes.")
    airlock_threshold: int = Field(
        default=10, ge=2, description="Counts below this are small cells, which do not leave through the airlock."
    )
    airlock_check_seconds: float = Field(
        default=120.0, gt=0, description="Time that the checks of one file in the airlock may take."
    )
    airlock_release_days: float = Field(
        default=14.0, gt=0, description="How long files released by the airlock can be fetched, in days."
    )
    airlock_retention_days: float = Field(
        default=90.0,
        ge=0,
        description="Days after which the content of files that the airlock did not let through is removed.",
    )

    @property
    def home_dir(self) -> Path:
        """The home, absolute."""
        return self.home.expanduser().absolute()

    @property
    def records_url(self) -> str:
        """URL of the record store in force."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.home_dir / 'records.db'}"

    @property
    def lake_catalog_url(self) -> str:
        """URL of the Iceberg catalog in force."""
        return self.catalog_url.get_secret_value() or f"sqlite:///{self.home_dir / 'lake' / 'catalog.db'}"

    @property
    def lake_path(self) -> Path:
        """Directory of the lake in force."""
        return self.lake_dir or self.home_dir / "lake"

    @property
    def airlock_path(self) -> Path:
        """Directory of the airlock in force."""
        return self.airlock_dir or self.home_dir / "airlock"

    @property
    def sftp_path(self) -> Path:
        """Where sources' files wait that came by SFTP: identified data."""
        return self.quarantine_path / "sftp"

    @property
    def quarantine_path(self) -> Path:
        """Directory of quarantine in force."""
        return self.quarantine_dir or self.home_dir / "quarantine"

    @property
    def shares_path(self) -> Path:
        """Directory of the projects' shares in force."""
        return self.shares_dir or self.home_dir / "shares"

    @property
    def git_backup_path(self) -> Path:
        """Directory of the backups of git repositories in force."""
        return self.git_backup_dir or self.home_dir / "git-backups"

    @property
    def results_path(self) -> Path:
        """Directory of kept results in force."""
        return self.results_dir or self.home_dir / "results"
