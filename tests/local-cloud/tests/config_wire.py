"""Makes and looks at a recorder of AWS Config in an account of the local cloud through botocore.

usage: config_wire.py ENDPOINT ACCOUNT
"""

import sys

from wire import Checked


def main(endpoint, account):
    call = Checked("config", endpoint, account)
    assert call("DescribeConfigurationRecorderStatus")["ConfigurationRecordersStatus"] == []
    role = f"arn:aws:iam::{account}:role/recorder"
    recorder = {"name": "default", "roleARN": role, "recordingGroup": {"allSupported": True}}
    call("PutConfigurationRecorder", ConfigurationRecorder=recorder)
    call("PutDeliveryChannel", DeliveryChannel={"name": "default", "s3BucketName": "bucket"})
    call("StartConfigurationRecorder", ConfigurationRecorderName="default")
    (status,) = call("DescribeConfigurationRecorderStatus")["ConfigurationRecordersStatus"]
    assert status["recording"] and status["lastStatus"] == "Success", status
    (found,) = call("DescribeConfigurationRecorders")["ConfigurationRecorders"]
    assert found["recordingGroup"]["allSupported"], found
    (channel,) = call("DescribeDeliveryChannelStatus")["DeliveryChannelsStatus"]
    assert channel["name"] == "default", channel
    call("StopConfigurationRecorder", ConfigurationRecorderName="default")
    (status,) = call("DescribeConfigurationRecorderStatus")["ConfigurationRecordersStatus"]
    assert not status["recording"], status
    call.report()


if __name__ == "__main__":
    main(*sys.argv[1:])
