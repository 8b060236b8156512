"""Takes out the guards of the desk one by one, and sees that a test notices: `make mutants`."""
