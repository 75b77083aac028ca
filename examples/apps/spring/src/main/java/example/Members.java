package example;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A page that greets members. Spring Security sends everybody else to log in. */
@SpringBootApplication
@RestController
public class Members {
    @GetMapping("/")
    String hello(@AuthenticationPrincipal OidcUser person) {
        return "Hello, " + person.getClaimAsString("membership_tier") + " member!";
    }

    public static void main(String[] arguments) {
        SpringApplication.run(Members.class, arguments);
    }
}
