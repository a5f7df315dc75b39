"""What a run goes by: options, the settings and where they came from, waivers, and the places they name."""
