"""What a deployment needs beside the services: the compose stack's configuration, checks and first steps."""
