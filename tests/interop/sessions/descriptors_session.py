"""Runs in pygnmi's own environment: compares the descriptors that the gateway's reflection service gives with pygnmi's.

The gateway may know more than pygnmi does: newer messages, fields, enum values. What pygnmi knows must be the same.
"""

import json
import sys

import grpc
from google.protobuf import descriptor_pool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from pygnmi.spec.v080 import gnmi_ext_pb2, gnmi_pb2

# Removed from gNMI before 0.10.0; the number is reserved.
REMOVED = {"gnmi.Alias", "gnmi.AliasList", "gnmi.SubscribeRequest.aliases", "gnmi.SubscriptionList.use_aliases",
           "gnmi.Notification.alias"}


def fields(message):
    """number -> what it is on the wire and in the JSON form."""
    kinds = {}
    for field in message.fields:
        of = field.message_type or field.enum_type
        oneof = field.containing_oneof.name if field.containing_oneof else ""
        kinds[field.number] = (field.name, field.type, field.is_repeated, of.full_name if of else "", oneof)
    return kinds


def compare(theirs, pool, told):
    for name, message in theirs.message_types_by_name.items():
        compare_message(message, pool, told)
    for enum in theirs.enum_types_by_name.values():
        compare_enum(enum, pool, told)
    for service in theirs.services_by_name.values():
        ours = pool.FindServiceByName(service.full_name)
        for method in service.methods:
            same = ours.methods_by_name.get(method.name)
            signature = lambda one: (one.input_type.full_name, one.output_type.full_name)
            if same is None or signature(same) != signature(method):
                told["differences"].append(f"{service.full_name}.{method.name}")


def compare_message(message, pool, told):
    if message.full_name in REMOVED:
        return
    told["messages"] += 1
    try:
        ours = fields(pool.FindMessageTypeByName(message.full_name))
    except KeyError:
        told["differences"].append(f"{message.full_name} is missing")
        return
    for number, kind in fields(message).items():
        if ours.get(number) != kind and f"{message.full_name}.{kind[0]}" not in REMOVED:
            told["differences"].append(f"{message.full_name} field {number}: {ours.get(number)}, pygnmi has {kind}")
    for nested in message.nested_types:
        compare_message(nested, pool, told)
    for enum in message.enum_types:
        compare_enum(enum, pool, told)


def compare_enum(enum, pool, told):
    try:
        ours = pool.FindEnumTypeByName(enum.full_name).values_by_name
    except KeyError:
        told["differences"].append(f"{enum.full_name} is missing")
        return
    for name, value in enum.values_by_name.items():
        if name not in ours or ours[name].number != value.number:
            told["differences"].append(f"{enum.full_name}.{name} is not {value.number}")


def main():
    job = json.load(sys.stdin)
    with open(job["ca"], "rb") as file:
        trust = grpc.ssl_channel_credentials(file.read())
    with grpc.secure_channel(job["address"], trust) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        pool = descriptor_pool.DescriptorPool(database)
        told = {"differences": [], "messages": 0, "services": sorted(database.get_services())}
        for theirs in (gnmi_pb2.DESCRIPTOR, gnmi_ext_pb2.DESCRIPTOR):
            compare(theirs, pool, told)
        health = channel.unary_unary("/grpc.health.v1.Health/Check")
        told["health"] = health(b"", timeout=10).hex()
    print(json.dumps(told))


if __name__ == "__main__":
    main()


