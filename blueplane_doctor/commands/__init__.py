"""Commands: one file each, which declares itself with `@command`. Only these, cli.py and __main__.py know typer."""
