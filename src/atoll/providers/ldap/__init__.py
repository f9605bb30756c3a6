"""People of an LDAP directory or Active Directory."""

from atoll.providers.ldap.directory import LdapDirectory
from atoll.providers.ldap.options import LdapOptions

__all__ = ["LdapDirectory", "LdapOptions"]
