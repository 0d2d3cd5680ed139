"""An AWS on this machine, for trials, tests and demonstrations. It is never deployed.

Nothing here calls AWS. The user's AWS configuration is hidden before moto is imported, which reads it and would fail
with a traceback if AWS_PROFILE names a profile of another project.
"""

import os

for _name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
    os.environ.pop(_name, None)
os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
