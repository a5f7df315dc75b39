"""`python -m blueplane_doctor` and the `blueplane-doctor` command."""


def main() -> None:
    """Run the command line."""
    import gc

    gc.set_threshold(50_000, 20, 50)  # a short life with many imports: collecting at every 700 objects is for nothing
    from blueplane_doctor.cli import app

    app()


if __name__ == "__main__":
    main()
