import os
from tempfile import mkdtemp

os.environ["HELPDESK_DATABASE"] = f"sqlite:///{mkdtemp()}/helpdesk.db"
os.environ["HELPDESK_PASSWORD"] = os.environ["HELPDESK_SECRET"] = "only in tests"

from helpdesk import models, sample  # noqa: E402, F401  # the environment comes first, because models opens the database
