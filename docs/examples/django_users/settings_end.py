INSTALLED_APPS += [  # noqa: F821
    "scimkit.stores.django",  # the table of tokens
    "scimkit.stores.django.external_ids",  # the table of the ids that identity providers give to users
]
DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE"}  # noqa: F821  # for SQLite
