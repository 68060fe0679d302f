def test_a(s3):
    """x"""
    s3.client().put_object(Bucket="bifrost-logs-test", Key="a", Body=b"1")
    assert s3.client().list_objects_v2(Bucket="bifrost-logs-test")["KeyCount"] == 1
def test_b(s3, log_store):
    """x"""
    assert s3.client().list_objects_v2(Bucket="bifrost-logs-test")["KeyCount"] == 0
def test_hook(s3):
    """x"""
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    import airflow.sdk
