"""The one exception meant for people."""


class UserError(ValueError):
    """Bad input, said in one line: what is wrong, where (file, line, field), how to mend it.

    The command line prints the message alone, without a traceback, and exits with status 2.
    Everything else that is raised is a defect of this project.
    """
