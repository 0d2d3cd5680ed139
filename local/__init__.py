"""An AWS on this machine, for trying, testing and demonstrating. Never shipped; the functions never see it.

Nothing here asks AWS, so the user's own configuration of it, which may be broken, is out of sight from the beginning:
moto reads it while it is imported, and whoever set AWS_PROFILE for another project would be left with its traceback.
"""

import os

for _name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
    os.environ.pop(_name, None)
os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
