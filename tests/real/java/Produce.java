import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Produces a record for each key, one a line on standard input, with Kafka's own client as it comes. */
class Produce {
    public static void main(String[] arguments) throws Exception {
        Map<String, Object> settings = Map.of("bootstrap.servers", arguments[0]);
        var text = new StringSerializer();
        var keys = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (var producer = new KafkaProducer<>(settings, text, text)) {
            for (String key = keys.readLine(); key != null; key = keys.readLine()) {
                producer.send(new ProducerRecord<>(arguments[1], key, "value"));
            }
        }
    }
}
