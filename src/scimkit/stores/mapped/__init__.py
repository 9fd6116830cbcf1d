"""Stores over tables of the host's own: what is the same whichever library reads the tables.

A host declares where each attribute lives (`declaration`); `layout` holds the declaration to the schema
and turns rows into documents and back; `conditions` turns filters into conditions; `work` is what each
method of the store port does. A back end gives `fields.Fields`, `conditions.Conditions` and `rows.Rows`.
This package imports no database library.
"""
