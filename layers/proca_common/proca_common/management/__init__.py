"""What campaigners do to orgs, campaigns and pages: each change checked, versioned and written down."""
