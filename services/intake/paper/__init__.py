"""The form that is signed: the Group POR Transfer Form as a PDF to fill in."""
