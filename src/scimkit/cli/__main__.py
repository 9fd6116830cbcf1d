"""Run the command line: `python -m scimkit.cli`."""

from scimkit.cli import main

if __name__ == "__main__":
    main()
