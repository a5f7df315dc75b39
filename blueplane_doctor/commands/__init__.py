"""Commands: one file each with a `register(app)`. Only these, cli.py and __main__.py know typer."""
