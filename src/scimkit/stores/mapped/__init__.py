"""The common code of stores over the application's own models, independent of the database library.

- `declaration`: the `ResourceMapping` that the application declares for each resource type.
- `layout`: the check of the declaration against the schema.
- `assembly`: the conversion of rows to documents and back.
- `queries` and `conditions`: the conversion of filters to conditions on rows.
- `store_operations`: the methods of the store protocol.

A backend implements `fields.Fields`, `conditions.Conditions` and `rows.Rows`. This package imports no database library.
"""
