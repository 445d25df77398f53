"""The subcommands of ``jaxosc``, a file each, imported when it is the one that is asked for."""

# By name, in the order of ``jaxosc --help``, with the two lines that each has there
SUMMARIES = {
    "compare": (
        "put every description of a network beside the exact",
        "one, and recommend the cheapest that is good enough",
    ),
    "map": (
        "draw where two descriptions, local and global or any",
        "others, agree with the exact Langevin equation",
    ),
    "sweep": (
        "compute observables over a grid of parameters of any",
        "size, into a file",
    ),
    "reproduce": (
        "recompute the figures of Konopik & Lutz and test every",
        "statement of the paper about them",
    ),
}
