"""Make the letters' bucket, and a user of its own for each service that may read and write in it. May be run again."""

import os
from urllib.parse import urlsplit

from minio import Minio, MinioAdmin
from minio.credentials.providers import StaticProvider

POLICY = "letters"


def policy(bucket: str) -> dict[str, object]:
    """What the services do: see that the bucket is there, get, put and lock. Nothing is deleted or made public."""
    arn = f"arn:aws:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [
                    "s3:GetBucketLocation",
                    "s3:GetBucketObjectLockConfiguration",
                    "s3:GetBucketVersioning",
                    "s3:ListBucket",
                ],
                "Resource": [arn],
            },
            {
                "Effect": "Allow",
                "Action": [
                    "s3:AbortMultipartUpload",
                    "s3:GetObject",
                    "s3:GetObjectRetention",
                    "s3:PutObject",
                    "s3:PutObjectRetention",
                ],
                "Resource": [f"{arn}/*"],
            },
        ],
    }


def prepare(url: str, root: str, password: str, bucket: str, users: dict[str, str]) -> None:
    """Bring the store at ``url`` to this state, whatever it was in."""
    address = urlsplit(url)
    secure = address.scheme == "https"
    store = Minio(
        endpoint=address.netloc,
        access_key=root,
        secret_key=password,
        secure=secure,
        region="us-east-1",
    )
    admin = MinioAdmin(endpoint=address.netloc, credentials=StaticProvider(root, password), secure=secure)
    if not store.bucket_exists(bucket_name=bucket):
        store.make_bucket(bucket_name=bucket, object_lock=True)  # which can be chosen only now
    admin.policy_add(POLICY, policy=policy(bucket))
    for name, secret in users.items():
        admin.user_add(name, secret)
        admin.policy_set(POLICY, user=name)


if __name__ == "__main__":
    prepare(
        os.environ["STORE_URL"],
        os.environ["STORE_ROOT_USER"],
        os.environ["STORE_ROOT_PASSWORD"],
        os.environ["STORE_BUCKET"],
        {
            "intake": os.environ["INTAKE_SECRET_KEY"],
            "documents": os.environ["DOCUMENTS_SECRET_KEY"],
        },
    )
    print("The bucket and its users are ready.")
