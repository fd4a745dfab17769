import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Scanner;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.utils.Utils;

/** What Java's own client says: hashes of keys, and the records of a topic with the partition it computes. */
public class Partitions {
    public static void main(String[] words) {
        if (words[0].equals("hash")) {
            hash();
        } else {
            consume(words[1], words[2]);
        }
    }

    /** For each line of standard input, a key in hexadecimal: murmur2, and the partition of 3 and of 16. */
    private static void hash() {
        Scanner lines = new Scanner(System.in, StandardCharsets.US_ASCII);
        while (lines.hasNextLine()) {
            byte[] key = HexFormat.of().parseHex(lines.nextLine());
            int three = BuiltInPartitioner.partitionForKey(key, 3);
            int sixteen = BuiltInPartitioner.partitionForKey(key, 16);
            System.out.println(Utils.murmur2(key) + " " + three + " " + sixteen);
        }
    }

    /** For each record: partition, offset, computed partition, key, id, value's length. */
    private static void consume(String servers, String topic) {
        Properties options = new Properties();
        options.put("bootstrap.servers", servers);
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(options, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> places = new ArrayList<>();
            consumer.partitionsFor(topic).forEach(info -> places.add(new TopicPartition(topic, info.partition())));
            consumer.assign(places);
            consumer.seekToBeginning(places);
            Map<TopicPartition, Long> ends = consumer.endOffsets(places);
            while (places.stream().anyMatch(place -> consumer.position(place) < ends.get(place))) {
                consumer.poll(Duration.ofSeconds(1)).forEach(record -> print(record, places.size()));
            }
        }
    }

    private static void print(ConsumerRecord<byte[], byte[]> record, int partitions) {
        String id = new String(record.headers().lastHeader("ce_id").value(), StandardCharsets.UTF_8);
        int computed = BuiltInPartitioner.partitionForKey(record.key(), partitions);
        String key = new String(record.key(), StandardCharsets.UTF_8);
        System.out.println(String.join("\t", List.of(
                "" + record.partition(), "" + record.offset(), "" + computed, key, id, "" + record.value().length)));
    }
}
