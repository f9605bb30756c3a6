"""People who sign on by redirect: OpenID Connect."""

from atoll.providers.oidc.issuer import OidcIssuer
from atoll.providers.oidc.options import OidcOptions

__all__ = ["OidcIssuer", "OidcOptions"]
