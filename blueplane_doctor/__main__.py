"""`python -m blueplane_doctor` and the `blueplane-doctor` command."""


def main() -> None:
    """Run the command line."""
    from blueplane_doctor.cli import app

    app()


if __name__ == "__main__":
    main()
