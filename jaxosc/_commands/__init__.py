"""The subcommands of ``jaxosc``, a file each."""
