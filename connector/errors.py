"""Every error that the connector raises on purpose; each docstring says the remedy.

ConnectorError
├── SettingsError      the operator's settings: exit 2
├── SchemaError        a schema file or the registry's answer to it: exit 2
├── ActionError        an AMI action that must not go on the wire
├── LinkError          the road to a PBX
│   ├── LoginRefused   the PBX said no: slow and loud, never in a tight loop
│   └── LinkLost       no connection, or it broke: back off and connect again
├── BrokerError        Kafka cannot be reached or said no
├── RegistryError      the schema registry cannot be reached or said no
├── JournalError       the journal's folder cannot be used
│   └── JournalInUse   another process has it
└── CaptureError       a capture cannot be written
"""


class ConnectorError(Exception):
    """Base of all errors that the connector raises on purpose; its text is meant for the operator."""


class SettingsError(ConnectorError):
    """A setting is missing, unknown or wrong: mend the key that the text names."""


class SchemaError(ConnectorError):
    """A schema file is not as the connector needs it: mend the file and field that the text names."""


class ActionError(ConnectorError):
    """An action's name or value must not go on the wire (control characters, length, count)."""


class LinkError(ConnectorError):
    """The road to a PBX failed."""


class LoginRefused(LinkError):
    """The PBX refused the login: mend the account in manager.conf or the secret in the settings."""


class LinkLost(LinkError):
    """The connection could not be made, broke, or fell silent past its deadline; it is made again."""


class BrokerError(ConnectorError):
    """Kafka could not be reached in time, or refused: the text names the topic, right or setting."""


class RegistryError(ConnectorError):
    """The schema registry could not be reached, or refused a schema: the text names the subject."""


class JournalError(ConnectorError):
    """The journal on disk cannot be used: the text names the folder or file, and the system's reason."""


class JournalInUse(JournalError):
    """The journal is another process's: stop that one, or `run --take-over` beside it."""


class CaptureError(ConnectorError):
    """A capture cannot be written: the text names the file, and the system's reason."""
